"""What is drawn lies where `geometry.camera` says it lies."""

import numpy as np
import pytest

from runtime.data.synthetic.ground_texture import GroundTexture
from runtime.data.synthetic.light import Light, draw_light
from runtime.data.synthetic.mesh import MeshBuilder
from runtime.data.synthetic.renderer import CameraRenderer, world2image
from runtime.data.synthetic.rig import Rig, build_rig, ego_pose
from runtime.data.synthetic.solid import SolidFactory
from runtime.geometry.boxes import box_corners
from runtime.geometry.camera import project

SIZE = (480, 270)
EGO = ego_pose(512.0, 334.0, 0.7, 0.004, -0.006)
METRES = 0.0625
MAGENTA = (255.0, 0.0, 255.0)


def clear_light() -> Light:
    """Light without noise, haze and clouds, so that a colour stays recognisable."""
    light = draw_light(SIZE, np.random.default_rng(0))
    return Light(
        sun=light.sun,
        direct=light.direct,
        ambient=light.ambient,
        haze=light.haze,
        visibility=1e9,
        panorama=np.full_like(light.panorama, 128),
        noise=np.zeros_like(light.noise),
        gain=1.0,
        cast=np.ones(3),
    )


def ground(image: np.ndarray) -> GroundTexture:
    side = image.shape[0] * METRES
    return GroundTexture(image, EGO[0, 3] - side / 2, EGO[1, 3] + side / 2, METRES, (60, 60, 60))


def plain_ground() -> GroundTexture:
    return ground(np.full((1600, 1600, 3), 60, dtype=np.uint8))


@pytest.fixture(scope="module")
def rig() -> Rig:
    return build_rig(SIZE, np.random.default_rng(4))


def magenta(image: np.ndarray) -> np.ndarray:
    """The pixels that are rather magenta than grey: at least half covered ones."""
    image = image.astype(int)
    return (image[..., 0] + image[..., 2]) / 2 - image[..., 1] > 100


@pytest.mark.parametrize("camera", range(6))
@pytest.mark.parametrize(("ahead", "aside", "yaw"), [(6.0, 0.6, 0.4), (11.0, -2.0, 2.0), (24.0, 3.0, -1.1)])
def test_box_is_drawn_where_its_corners_are_projected(
    rig: Rig, camera: int, ahead: float, aside: float, yaw: float
) -> None:
    setup, light = rig.cameras[camera], clear_light()
    position = EGO @ setup.cam2ego @ [aside, 0.0, ahead, 1.0]
    width, length, height = 1.2, 2.4, 1.1
    builder = MeshBuilder()
    builder.block((-0.5, 0.5), (-0.5, 0.5), (0.0, 1.0), MAGENTA)
    mesh = builder.build((width, length, height))
    glowing = type(mesh)(
        mesh.corners, mesh.normals, mesh.colors, mesh.group_x, mesh.detail, np.ones_like(mesh.glow)
    )
    solid = SolidFactory(light).place(glowing, position[0], position[1], yaw)
    renderer = CameraRenderer(setup, plain_ground(), plain_ground(), light)
    mask = magenta(renderer.render(EGO, [solid], np.random.default_rng(0)))
    box = [[position[0], position[1], height / 2, width, length, height, yaw]]
    uv, depth = project(box_corners(box)[0], world2image(setup, EGO))
    assert (depth > 0).all()
    low = np.maximum(uv.min(axis=0), 0)
    high = np.minimum(uv.max(axis=0), np.array(SIZE) - 1)
    rows, columns = np.nonzero(mask)
    drawn_low, drawn_high = (columns.min(), rows.min()), (columns.max(), rows.max())
    np.testing.assert_allclose(drawn_low, low, atol=1.0)
    np.testing.assert_allclose(drawn_high, high, atol=1.0)


@pytest.mark.parametrize("camera", range(6))
def test_line_on_the_ground_lands_on_its_pixels(rig: Rig, camera: int) -> None:
    """A dot painted at a map position appears at the projection of that position, near and far."""
    setup = rig.cameras[camera]
    for ahead in (6.0, 9.0, 16.0, 26.0):
        image = np.full((1600, 1600, 3), 60, dtype=np.uint8)
        texture = ground(image)
        spot = EGO @ setup.cam2ego @ [0.1 * ahead, 0.0, ahead, 1.0]
        column, row = np.round((texture.map2pixel() @ [spot[0], spot[1], 1.0])[:2]).astype(int)
        image[row - 4 : row + 5, column - 4 : column + 5] = (255, 0, 255)
        metres = np.linalg.inv(texture.map2pixel()) @ [column, row, 1.0]
        renderer = CameraRenderer(setup, texture, texture, clear_light())
        picture = renderer.render(EGO, [], np.random.default_rng(0)).astype(float)
        weight = np.clip((picture[..., 0] + picture[..., 2]) / 2 - picture[..., 1], 0, None)
        weight[weight < 12] = 0
        rows, columns = np.nonzero(weight)
        centre = np.average(np.stack([columns, rows]), axis=1, weights=weight[rows, columns])
        uv, _ = project([[metres[0], metres[1], 0.0]], world2image(setup, EGO))
        # A square in perspective has its centre of mass a little nearer than its middle.
        np.testing.assert_allclose(centre, uv[0], atol=0.8)


def test_nearer_solid_covers_the_farther_one(rig: Rig) -> None:
    setup, light = rig.cameras[1], clear_light()
    factory = SolidFactory(light)
    solids = []
    for ahead, color in ((8.0, (255.0, 0.0, 0.0)), (14.0, (0.0, 255.0, 0.0))):
        builder = MeshBuilder()
        builder.block((-0.5, 0.5), (-0.5, 0.5), (0.0, 1.0), color)
        spot = EGO @ setup.cam2ego @ [0.0, 0.0, ahead, 1.0]
        solids.append(factory.place(builder.build((1.5, 1.5, 1.5)), spot[0], spot[1], 0.7))
    renderer = CameraRenderer(setup, plain_ground(), plain_ground(), light)
    for order in (solids, solids[::-1]):
        picture = renderer.render(EGO, order, np.random.default_rng(0))
        spot = EGO @ setup.cam2ego @ [0.0, 0.0, 8.0, 1.0]
        uv, _ = project([[spot[0], spot[1], 0.75]], world2image(setup, EGO))
        blue, green, red = picture[round(uv[0, 1]), round(uv[0, 0])].astype(int)
        assert red > green + 60 and red > blue + 60


def test_solid_around_the_camera_is_clipped_and_not_mirrored(rig: Rig) -> None:
    """A long wall that begins behind the camera fills its side of the picture and nothing of the other."""
    setup, light = rig.cameras[1], clear_light()
    builder = MeshBuilder()
    builder.block((-0.5, 0.5), (-0.5, 0.5), (0.0, 1.0), MAGENTA)
    spot = EGO @ [2.0, 3.0, 0.0, 1.0]  # 3 m to the left, 30 m long, as high as a house
    solid = SolidFactory(light).place(builder.build((0.5, 30.0, 6.0)), spot[0], spot[1], 0.7)
    renderer = CameraRenderer(setup, plain_ground(), plain_ground(), light)
    mask = magenta(renderer.render(EGO, [solid], np.random.default_rng(0)))
    assert mask[100:150, 2:60].mean() > 0.95
    assert mask[:, SIZE[0] // 2 :].mean() < 0.05
