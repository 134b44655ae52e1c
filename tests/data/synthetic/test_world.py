"""What a scene is made of: streets that fit together, actors that do not touch."""

import numpy as np
import pytest
from shapely.geometry import LineString, Polygon
from shapely.ops import unary_union

from runtime.data.synthetic.categories import BY_NAME
from runtime.data.synthetic.collision import rectangles_overlap
from runtime.data.synthetic.models import model_of
from runtime.data.synthetic.path import Path, turn
from runtime.data.synthetic.road import Road
from runtime.data.synthetic.world import KINDS, World, build_world
from runtime.geometry.boxes import ground_corners


@pytest.fixture(scope="module", params=range(8))
def world(request: pytest.FixtureRequest) -> World:
    number = request.param
    rng = np.random.default_rng(100 + number)
    return build_world(KINDS[number % 4], (300.0, 300.0), 210.0, 3.5, (320, 180), rng)


def test_segments_and_lanes_unite_to_the_drivable_area(world: World) -> None:
    """The contour of the union is the kerb: no hair-thin gaps between the pieces."""
    layout = world.layout
    pieces = [polygon for polygon, _ in layout.segments] + [Polygon(lane.polygon) for lane in layout.lanes]
    union = unary_union(pieces)
    assert union.geom_type == "Polygon" and len(union.interiors) == 0
    assert union.symmetric_difference(layout.drivable).area < 0.02 * layout.drivable.area
    inner = layout.drivable.buffer(-0.3)
    assert union.exterior.intersection(inner).length < 0.5


def test_paint_is_on_the_road(world: World) -> None:
    drivable = world.layout.drivable.buffer(0.05)
    for line in (*world.layout.road_dividers, *world.layout.lane_dividers):
        assert drivable.contains(LineString(line))
    for crossing in world.layout.crossings:
        assert crossing.polygon.shape == (4, 2)
        area = Polygon(crossing.polygon)
        assert area.difference(drivable.buffer(0.3)).area < 0.05 * area.area
        for divider in world.layout.road_dividers:
            assert not area.intersects(LineString(divider))


def test_walkways_lie_beside_the_road(world: World) -> None:
    for walkway in world.layout.walkways:
        assert walkway.intersection(world.layout.drivable).area < 1e-6


def test_nobody_touches_anybody(world: World) -> None:
    actors = [a for a in world.actors if a.category != "static_object.bicycle_rack"]
    actors.append(world.trip.as_actor())
    for t in np.arange(0.0, 3.51, 0.25):
        poses = [actor.pose(t) for actor in actors]
        centre = np.array([p for p, _ in poses])
        yaw = np.array([float(y) for _, y in poses])
        half = np.array([[a.size[1] / 2, a.size[0] / 2] for a in actors])
        hit = rectangles_overlap(
            centre[:, None], yaw[:, None], half[:, None], centre[None], yaw[None], half[None]
        )
        cycles = np.array([a.category == "vehicle.bicycle" and a.still for a in actors])
        hit &= ~(cycles[:, None] & cycles[None])  # bicycles in a rack lean on each other
        np.fill_diagonal(hit, False)
        assert not hit.any(), [(actors[i].category, actors[j].category) for i, j in np.argwhere(hit)]


def test_traffic_keeps_right(world: World) -> None:
    checked = 0
    for actor in world.actors:
        if actor.category != "vehicle.car" or actor.still:
            continue
        position, yaw = actor.pose(0.0)
        for road in world.layout.roads:
            s, d = road.distance(position)
            along = np.cos(float(yaw) - float(road.heading_at(s)))
            if abs(d) < road.half_width and abs(along) > 0.95 and 0 < s < road.length:
                assert d * along < 0
                checked += 1
    assert checked > 0 or world.trip.waiting


def test_everybody_comes_near_and_has_a_model_of_its_size(world: World) -> None:
    track = world.trip.motion.pose(np.linspace(0, 3.5, 8))[0]
    for actor in world.actors:
        position, _ = actor.pose(np.linspace(0, 3.5, 8))
        assert np.linalg.norm(position - track, axis=1).min() < 40.0
        if actor.category == "static_object.bicycle_rack":
            continue  # its box is annotated around the bicycles that stand in it
        corners = model_of(actor).corners.reshape(-1, 3)
        extent = corners.max(axis=0) - corners.min(axis=0)
        width, length, height = actor.size
        # The model fills the annotated box, and nothing sticks out of it.
        assert (extent <= np.array([length, width, height]) + 1e-6).all(), actor.category
        assert (extent >= np.array([length, width, height]) * 0.6).all(), actor.category
        assert corners[:, 2].min() < 0.02 and extent[2] == pytest.approx(height)


def test_normals_of_all_models_point_outwards(world: World) -> None:
    for actor in world.actors:
        mesh = model_of(actor)
        assert np.allclose(np.linalg.norm(mesh.normals, axis=1), 1.0)
        # Who looks at the outermost faces on any side looks at their front.
        middles = mesh.corners.mean(axis=1)
        for axis in range(3):
            for sign in (-1.0, 1.0) if axis < 2 else (1.0,):
                facing = np.abs(mesh.normals[:, axis]) > 0.9
                if not facing.any():
                    continue
                outermost = facing & (sign * middles[:, axis] >= (sign * middles[facing, axis]).max() - 1e-6)
                assert (sign * mesh.normals[outermost, axis] > 0).all(), (actor.category, axis, sign)


def test_trip_stays_on_the_road_in_its_direction(world: World) -> None:
    for t in np.linspace(0, 3.5, 8):
        pose = world.trip.pose(t)
        row = [[pose[0, 3], pose[1, 3], 0, 1.8, 0.1, 1, np.arctan2(pose[1, 0], pose[0, 0])]]
        assert world.layout.drivable.contains(Polygon(ground_corners(row)[0]))


def test_actors_wear_categories_that_exist(world: World) -> None:
    assert {actor.category for actor in world.actors} <= set(BY_NAME)


def test_road_coordinates_are_inverse() -> None:
    for curvature in (0.0, 0.012, -0.009):
        road = Road(10.0, -5.0, 2.2, curvature, 120.0, 2, 3.4, 2.5)
        s, d = np.array([3.0, 40.0, 110.0]), np.array([-6.0, 0.0, 5.0])
        back = road.distance(road.point(s, d))
        np.testing.assert_allclose(back, [s, d], atol=1e-9)


def test_turn_is_smooth_and_ends_where_it_should() -> None:
    points = turn([0.0, 0.0], [40.0, 0.0], [40.0, 40.0], 10.0)
    np.testing.assert_allclose(points[[0, -1]], [[0, 0], [40, 40]])
    path = Path(points)
    assert path.length == pytest.approx(60.0 + 10 * np.pi / 2, rel=1e-3)
    _, heading = path.at(np.linspace(0, path.length, 400))
    assert np.all(np.diff(heading) >= -1e-9) and np.diff(heading).max() < 0.03
    assert heading[0] == 0.0 and heading[-1] == pytest.approx(np.pi / 2)
