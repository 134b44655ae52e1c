"""Every image transform and random chains of them: the dot is where the new matrix says."""

from typing import Any

import numpy as np
import pytest

from runtime.data.camera_views import CameraViews
from runtime.data.transforms.bev_img_color_jitter import BevImgColorJitter
from runtime.data.transforms.bev_img_crop import BevImgCrop
from runtime.data.transforms.bev_img_flip import BevImgFlip
from runtime.data.transforms.bev_img_resize import BevImgResize
from runtime.data.transforms.bev_img_rotate import BevImgRotate
from runtime.errors import RunError

# The promise is 0.5 pixels; a forgotten half-pixel term is often less than that, so the tests ask for more.
TOLERANCE = 0.12

SINGLE = {
    "shrink to a size": BevImgResize(size=(144, 256)),
    "shrink unevenly": BevImgResize(size=(200, 250)),
    "enlarge": BevImgResize(size=(400, 700)),
    "shrink by half": BevImgResize(scales=(0.5, 0.5)),
    "shrink to a quarter": BevImgResize(scales=(0.25, 0.25)),
    "shrink by a drawn factor": BevImgResize(scales=(0.45, 0.95)),
    "crop": BevImgCrop(size=(202, 301)),
    "crop at random": BevImgCrop(size=(202, 301), random=True),
    "pad": BevImgCrop(size=(300, 521)),
    "flip": BevImgFlip(prob=1.0),
    "rotate": BevImgRotate(rot=(-25.0, 25.0)),
}


@pytest.mark.parametrize("transform", SINGLE.values(), ids=SINGLE.keys())
def test_dot_is_where_the_matrix_says(transform: Any, dots: Any):
    for seed in range(3):
        views = dots.views()
        transform(views, np.random.default_rng(seed))
        assert dots.errors(views).max() < TOLERANCE


@pytest.mark.parametrize("seed", range(8))
def test_dot_is_where_the_matrix_says_after_a_chain(seed: int, dots: Any):
    rng = np.random.default_rng(seed)
    chain = [
        BevImgResize(scales=(0.4, 0.9)),
        BevImgCrop(size=(160, 340), random=True),
        BevImgFlip(prob=0.5),
        BevImgRotate(rot=(-5.4, 5.4)),
        BevImgColorJitter(brightness=0.2, saturation=0.3),
        BevImgResize(scales=(0.8, 1.3)),
        BevImgFlip(prob=0.5),
    ]
    order = [0, 1, *rng.permutation(np.arange(2, len(chain)))]
    views = dots.views()
    for position in order:
        chain[position](views, rng)
    assert dots.errors(views).max() < TOLERANCE


def test_pixels_of_a_fused_chain_are_those_of_its_steps(dots: Any):
    """Fusing changes the interpolation, not the picture."""
    steps = [BevImgResize(size=(243, 432)), BevImgCrop(size=(230, 432)), BevImgRotate(rot=(3.0, 3.0))]
    fused, stepwise = dots.views(), dots.views()
    for step in steps:
        step(fused, np.random.default_rng(0))
        step(stepwise, np.random.default_rng(0))
        stepwise = CameraViews.of_images(stepwise.images, stepwise.ego2img)
    np.testing.assert_allclose(fused.ego2img, stepwise.ego2img)
    for one, other in zip(fused.images, stepwise.images, strict=True):
        assert np.abs(one.astype(int) - other).max() <= 12


def test_shrinking_does_not_alias():
    """Stripes of one pixel become grey; a plain bilinear warp would make false stripes of them."""
    stripes = np.zeros((270, 480, 3), np.uint8)
    stripes[:, ::2] = 255
    views = CameraViews.of_images([stripes], np.eye(4)[None])
    BevImgResize(size=(144, 256))(views, np.random.default_rng(0))
    BevImgRotate(rot=(2.0, 2.0))(views, np.random.default_rng(0))
    inner = views.images[0][20:-20, 20:-20].astype(np.float64)
    assert abs(inner.mean() - 127.5) < 2
    assert inner.std() < 12


def test_crop_keeps_the_bottom_and_draws_its_place_along_the_width():
    image = np.zeros((20, 40, 3), np.uint8)
    image[-1] = 200
    lefts = set()
    for seed in range(20):
        views = CameraViews.of_images([image], np.eye(4)[None])
        BevImgCrop(size=(12, 30), random=True)(views, np.random.default_rng(seed))
        assert views.images[0].shape == (12, 30, 3)
        assert (views.images[0][-1] == 200).all()
        assert views.pixel_matrix[1, 2] == -8
        lefts.add(-views.pixel_matrix[0, 2])
    assert lefts <= set(range(11)) and len(lefts) > 5


def test_one_draw_serves_all_views(dots: Any):
    views = dots.views()
    BevImgResize(scales=(0.5, 0.9))(views, np.random.default_rng(0))
    BevImgRotate()(views, np.random.default_rng(0))
    moves = views.ego2img @ np.linalg.inv(dots.ego2img)
    np.testing.assert_allclose(moves, np.broadcast_to(moves[0], moves.shape), atol=1e-6)


def test_jitter_of_strength_zero_changes_nothing_and_others_follow_their_formula():
    rng = np.random.default_rng(0)
    image = rng.integers(60, 120, (8, 8, 3)).astype(np.uint8)
    views = CameraViews.of_images([image], np.eye(4)[None])
    BevImgColorJitter()(views, rng)
    np.testing.assert_array_equal(views.images[0], image)

    BevImgColorJitter(brightness=0.5)(views, np.random.default_rng(1))
    factor = np.random.default_rng(1).uniform(0.5, 1.5)
    assert np.abs(views.images[0] - factor * image).max() <= 0.5 + 1e-6

    views.images = [image]
    BevImgColorJitter(saturation=1.0)(views, np.random.default_rng(2))
    generator = np.random.default_rng(2)
    factor = [generator.uniform(1, 1), generator.uniform(1, 1), generator.uniform(0, 2)][2]
    grey = (image @ [0.299, 0.587, 0.114])[..., None]
    assert np.abs(views.images[0] - (grey + factor * (image - grey))).max() <= 0.6

    views.images = [image]
    BevImgColorJitter(contrast=0.5)(views, np.random.default_rng(3))
    mean_before, mean_after = (
        x.astype(float).mean(axis=(0, 1)) @ [0.299, 0.587, 0.114] for x in (image, views.images[0])
    )
    assert abs(mean_before - mean_after) < 0.6
    assert views.images[0].std() != pytest.approx(image.std(), rel=0.02)


def test_moving_pixels_after_the_tensor_step_is_refused(dots: Any):
    views = dots.views()
    views.tensor = object()  # type: ignore[assignment]
    with pytest.raises(ValueError, match="put the wrapper last"):
        BevImgFlip(prob=1.0)(views, np.random.default_rng(0))


@pytest.mark.parametrize(
    "make, message",
    [
        (
            lambda: BevImgResize(),
            "`BevImgResize` takes either `size` or `scales`, got size None, scales None",
        ),
        (
            lambda: BevImgResize(size=(0, 4)),
            "`size` must be two positive numbers (height, width), got (0, 4)",
        ),
        (
            lambda: BevImgResize(scales=(0.8, 0.6)),
            "`scales` must be (lowest, highest), both above 0, got (0.8, 0.6)",
        ),
        (
            lambda: BevImgCrop(size=(5,)),
            "`BevImgCrop`: `size` must be two positive numbers (height, width), got (5,)",
        ),
        (lambda: BevImgFlip(prob=1.5), "`BevImgFlip`: `prob` must lie in 0 to 1, got 1.5"),
        (
            lambda: BevImgRotate(rot=(3, -3)),
            "`BevImgRotate`: `rot` must be (lowest, highest) in degrees, got (3, -3)",
        ),
        (
            lambda: BevImgColorJitter(contrast=2.0),
            "`BevImgColorJitter`: `contrast` must lie in 0 to 1, got 2.0",
        ),
    ],
)
def test_bad_values_are_named(make: Any, message: str):
    with pytest.raises(RunError) as caught:
        make()
    assert message in str(caught.value)
