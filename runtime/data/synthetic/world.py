"""One scene of the synthetic world, complete: map, ego trip, actors, scenery, light, sensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from runtime.data.synthetic.actor import Actor
from runtime.data.synthetic.ego import EgoTrip, plan_trip
from runtime.data.synthetic.ground_texture import GroundTexture, paint_ground
from runtime.data.synthetic.layout import Kind, Layout
from runtime.data.synthetic.layout_builder import build_layout
from runtime.data.synthetic.light import Light, draw_light
from runtime.data.synthetic.mesh import Mesh
from runtime.data.synthetic.models import model_of
from runtime.data.synthetic.renderer import CameraRenderer
from runtime.data.synthetic.rig import Rig, build_rig
from runtime.data.synthetic.scenery import Prop, add_scenery
from runtime.data.synthetic.solid import Solid, SolidFactory
from runtime.data.synthetic.traffic import populate

Array = NDArray[np.float64]
Image = NDArray[np.uint8]

KINDS: Final[tuple[Kind, ...]] = ("straight", "crossroads", "bend", "tee")
_NEAR_GROUND: Final = 20.0  # metres around the trip that are painted finely
_FAR_GROUND: Final = 88.0  # and coarsely
_FAR_METRES: Final = 0.125


@dataclass(frozen=True)
class World:
    """Everything about a scene that does not depend on files and tokens."""

    layout: Layout
    trip: EgoTrip
    actors: list[Actor]
    props: list[Prop]
    rig: Rig
    light: Light


def build_world(
    kind: Kind,
    centre: tuple[float, float],
    tile_size: float,
    duration: float,
    image_size: tuple[int, int],
    rng: np.random.Generator,
) -> World:
    """Draw a scene of `duration` seconds on a tile of the map."""
    layout = build_layout(kind, centre, tile_size, rng)
    trip = plan_trip(layout, duration, rng)
    actors = populate(layout, trip, duration, rng)
    focus = trip.motion.pose(duration / 2)[0]
    props = add_scenery(layout, focus, actors, rng)
    rig = build_rig(image_size, rng)
    light = draw_light(image_size, rng)
    return World(layout, trip, actors, props, rig, light)


class Studio:
    """The cameras of a world, ready to take pictures.

    Args:
        world: the scene.
        duration: seconds; decides how much ground is painted.
        rng: source of the ground's unevenness.
    """

    def __init__(self, world: World, duration: float, rng: np.random.Generator) -> None:
        self._world = world
        self._factory = SolidFactory(world.light)
        near, far = self._paint(duration, int(rng.integers(2**31)))
        self._renderers = [CameraRenderer(camera, near, far, world.light) for camera in world.rig.cameras]
        self._moving: list[tuple[Actor, Mesh]] = []
        self._still: list[Solid] = [
            self._factory.place(prop.mesh, prop.x, prop.y, prop.yaw) for prop in world.props
        ]
        for actor in world.actors:
            if actor.still:
                position, yaw = actor.pose(0.0)
                solid = self._factory.place(
                    model_of(actor), float(position[0]), float(position[1]), float(yaw)
                )
                self._still.append(solid)
            else:
                self._moving.append((actor, model_of(actor)))

    def _paint(self, duration: float, seed: int) -> tuple[GroundTexture, GroundTexture]:
        world = self._world
        track = world.trip.motion.pose(np.linspace(0.0, duration, 16))[0]
        # Fine enough for the ground some metres before the camera, whatever the size of the image.
        fine = float(np.clip(30.0 / world.rig.cameras[0].size[0], 0.03, 0.0625))
        pictures = []
        for reach, metres in ((_NEAR_GROUND, fine), (_FAR_GROUND, _FAR_METRES)):
            low, high = track.min(axis=0) - reach, track.max(axis=0) + reach
            bounds = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
            pictures.append(paint_ground(world.layout, bounds, metres, np.random.default_rng(seed)))
        return pictures[0], pictures[1]

    def take(self, camera: int, t: float, rng: np.random.Generator) -> tuple[Image, Array]:
        """The BGR image of a camera whose shutter opens at time t, and the ego pose (4, 4) then."""
        ego2global = self._world.trip.pose(t)
        renderer = self._renderers[camera]
        solids = list(self._still)
        for actor, mesh in self._moving:
            position, yaw = actor.pose(t)
            if renderer.sees(position, max(actor.size), ego2global):
                solids.append(self._factory.place(mesh, float(position[0]), float(position[1]), float(yaw)))
        return renderer.render(ego2global, solids, rng), ego2global
