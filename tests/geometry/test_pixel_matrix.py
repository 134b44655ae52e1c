"""Pixel matrices against what the operations do to arrays."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.geometry import pixel_matrix as pm


def test_scale_keeps_the_corner_of_the_image_not_the_centre_of_its_first_pixel():
    matrix = pm.scale(2.0, 0.5)
    corner = pm.transform_pixels(matrix, [-0.5, -0.5])
    np.testing.assert_allclose(corner, [-0.5, -0.5])
    # Halving: pixels 0 and 1 become pixel 0, whose centre lies between theirs.
    np.testing.assert_allclose(pm.transform_pixels(matrix, [[0.0, 0.0], [0.0, 1.0]]).mean(axis=0), [0.5, 0.0])


def test_resize_maps_the_far_corner_to_the_far_corner():
    matrix = pm.resize((900, 1600), (540, 960))
    np.testing.assert_allclose(pm.transform_pixels(matrix, [1599.5, 899.5]), [959.5, 539.5])


def test_crop_and_flip_follow_array_indexing():
    image = np.arange(48).reshape(6, 8)
    u, v = 5, 4
    left, top = pm.transform_pixels(pm.crop(3, 2), [u, v]).astype(int)
    assert image[2:, 3:][top, left] == image[v, u]
    mirrored_u, mirrored_v = pm.transform_pixels(pm.flip(8), [u, v]).astype(int)
    assert image[:, ::-1][mirrored_v, mirrored_u] == image[v, u]


@pytest.mark.parametrize("degrees, turns", [(90, 1), (180, 2), (-90, 3)])
def test_rotate_turns_counter_clockwise_as_seen(degrees: int, turns: int):
    image = np.arange(49).reshape(7, 7)
    u, v = 5, 1
    new_u, new_v = np.round(pm.transform_pixels(pm.rotate(degrees, (7, 7)), [u, v])).astype(int)
    assert np.rot90(image, turns)[new_v, new_u] == image[v, u]


def test_rotate_keeps_the_middle_of_images_that_are_not_square():
    np.testing.assert_allclose(
        pm.transform_pixels(pm.rotate(33.0, (270, 480)), [239.5, 134.5]), [239.5, 134.5]
    )


@given(
    u=st.floats(-100, 2000),
    v=st.floats(-100, 1000),
    depth=st.floats(0.5, 80),
    factor=st.floats(0.2, 3),
    degrees=st.floats(-180, 180),
)
def test_matrices_act_on_points_with_depth_as_on_pixels(
    u: float, v: float, depth: float, factor: float, degrees: float
):
    matrix = pm.flip(960) @ pm.rotate(degrees, (540, 960)) @ pm.crop(20, -30) @ pm.scale(factor, factor / 2)
    moved = matrix @ np.array([u * depth, v * depth, depth, 1.0])
    assert moved[2] == depth and moved[3] == 1.0
    np.testing.assert_allclose(moved[:2] / depth, pm.transform_pixels(matrix, [u, v]), rtol=1e-9, atol=1e-6)
    homogeneous = pm.planar(matrix) @ [u, v, 1.0]
    np.testing.assert_allclose(homogeneous[:2], pm.transform_pixels(matrix, [u, v]), rtol=1e-9, atol=1e-6)
