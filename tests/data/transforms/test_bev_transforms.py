"""Equivariance: transforming the labels of a scene gives the labels of the transformed scene."""

import copy
from typing import Any

import numpy as np
import pytest
import torch

from runtime.data.map_raster import rasterize_map
from runtime.data.transforms.bev_flip import BevFlip
from runtime.data.transforms.bev_rotate import BevRotate
from runtime.errors import RunError
from runtime.geometry.bev_grid import BevGrid
from runtime.geometry.frames import planar

BEV = (25.6, 38.4, 0.8)  # not square, so that mixed-up sides show
MAP = (15.0, 30.0, 0.25)
IDENTITY = np.eye(4)
ANGLES = [0.3, -0.3925, 1.9]


def smooth_features(matrix: np.ndarray, upscale: int = 2) -> torch.Tensor:
    """(1, 2, H, W): smooth functions over the scene, seen after a planar transform (4, 4) carried it."""
    centres = BevGrid.from_size(BEV).scaled(upscale).centres()
    back = np.linalg.inv(matrix)
    points = centres @ back[:2, :2].T
    x, y = points[..., 0], points[..., 1]
    channels = [np.sin(x / 6) + 0.3 * np.cos(y / 5), np.exp(-((x - 9) ** 2 + (y + 4) ** 2) / 60)]
    return torch.from_numpy(np.stack(channels)[None]).float()


def boxes_within(radius: float, count: int, seed: int) -> np.ndarray:
    """Boxes (N, 9) whose centre stays on the grid however it is turned; one velocity is unknown."""
    rng = np.random.default_rng(seed)
    boxes = rng.uniform(0.5, 5, (count, 9))
    r, a = radius * np.sqrt(rng.random(count)), rng.uniform(-np.pi, np.pi, count)
    boxes[:, 0], boxes[:, 1] = r * np.cos(a), r * np.sin(a)
    boxes[:, 6] = rng.uniform(-np.pi, np.pi, count)
    boxes[:, 7:] = rng.normal(0, 5, (count, 2))
    boxes[0, 7:] = np.nan
    return boxes


def carried(boxes: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Boxes (N, 9) of a scene that a planar transform or a mirror (4, 4) carries, heading as a vector."""
    moved, linear = boxes.copy(), matrix[:2, :2].T
    moved[:, :2], moved[:, 7:] = boxes[:, :2] @ linear + matrix[:2, 3], boxes[:, 7:] @ linear
    heading = np.stack([np.cos(boxes[:, 6]), np.sin(boxes[:, 6])], axis=1) @ linear
    moved[:, 6] = np.arctan2(heading[:, 1], heading[:, 0])
    return moved


def map_lines(matrix: np.ndarray) -> dict[str, list[np.ndarray]]:
    """Lines of a made-up scene carried by a planar transform."""
    scene = {
        "divider": [np.array([[-60.0, 1.7], [60.0, 1.7]]), np.array([[-60.0, 5.2], [60.0, 5.2]])],
        "ped_crossing": [np.array([[12.0, -6.0], [12.0, 9.0]]), np.array([[15.0, -6.0], [15.0, 9.0]])],
        "boundary": [np.array([[-60.0, -7.0], [0.0, -6.0], [30.0, -12.0], [60.0, -40.0]])],
    }
    return {name: [line @ matrix[:2, :2].T for line in lines] for name, lines in scene.items()}


def make_batch(matrix: np.ndarray = IDENTITY, samples: int = 1) -> tuple[torch.Tensor, dict[str, Any]]:
    boxes = carried(boxes_within(24.0, 20, seed=1), matrix)
    seg = rasterize_map(map_lines(matrix), BevGrid.from_size(MAP), 1.5)
    batch = {
        "gt_boxes": [torch.from_numpy(boxes).float()] * samples,
        "gt_labels": [torch.arange(20) % 10] * samples,
        "gt_seg": torch.from_numpy(seg)[None].repeat(samples, 1, 1),
        "token": [f"sample {i}" for i in range(samples)],
        "img": torch.zeros(6 * samples, 3, 2, 2),
    }
    return smooth_features(matrix).repeat(samples, 1, 1, 1), batch


def known(
    shape_of: tuple[float, float, float], angle: float, margin: float, upscale: int = 1
) -> torch.Tensor:
    """Cells that were well inside the grid before a turn by `angle`, by `margin` metres."""
    grid = BevGrid.from_size(shape_of).scaled(upscale)
    points = grid.centres() @ planar(0, 0, -angle)[:2, :2].T
    inside = (np.abs(points[..., 0]) < grid.half_x - margin) & (np.abs(points[..., 1]) < grid.half_y - margin)
    return torch.from_numpy(inside)


def assert_same_boxes(one: torch.Tensor, other: torch.Tensor) -> None:
    difference = one - other
    difference[:, 6] = torch.remainder(difference[:, 6] + torch.pi, 2 * torch.pi) - torch.pi
    assert torch.equal(one[:, 7:].isnan(), other[:, 7:].isnan())
    assert difference.nan_to_num().abs().max() < 2e-5


@pytest.mark.parametrize("angle", ANGLES)
def test_rotating_features_is_seeing_the_rotated_scene(angle: float):
    feat, batch = make_batch()
    turned, _ = BevRotate(bev_size=BEV, map_size=MAP).rotate(
        feat, batch, torch.tensor([angle], dtype=torch.float64)
    )
    expected = smooth_features(planar(0, 0, angle))
    inside = known(BEV, angle, 1.0, upscale=2)
    assert inside.float().mean() > 0.4
    assert (turned - expected)[0, :, inside].abs().max() < 0.01
    outside = ~known(BEV, angle, -1.0, upscale=2)
    assert outside.any() and (turned[0, :, outside] == 0).all()


@pytest.mark.parametrize("angle", ANGLES)
def test_rotating_boxes_is_rotating_the_scene(angle: float):
    feat, batch = make_batch()
    _, changed = BevRotate(bev_size=BEV, map_size=MAP).rotate(
        feat, batch, torch.tensor([angle], dtype=torch.float64)
    )
    expected = make_batch(planar(0, 0, angle))[1]
    assert_same_boxes(changed["gt_boxes"][0], expected["gt_boxes"][0])
    assert torch.equal(changed["gt_labels"][0], expected["gt_labels"][0])


@pytest.mark.parametrize("angle", ANGLES)
def test_rotating_map_labels_is_labelling_the_rotated_scene(angle: float):
    feat, batch = make_batch()
    rotate = BevRotate(bev_size=BEV, map_size=MAP, ignore_index=-1)
    _, changed = rotate.rotate(feat, batch, torch.tensor([angle], dtype=torch.float64))
    expected = make_batch(planar(0, 0, angle))[1]["gt_seg"][0]
    seg = changed["gt_seg"][0]
    assert seg.dtype == torch.int64
    inside, outside = known(MAP, angle, 0.3), ~known(MAP, angle, -0.3)
    assert (seg[inside] >= 0).all() and (seg[outside] == -1).all()
    # The nearest cell is up to 0.7 cells away: only rims of lines may differ, and only by one cell.
    different = (seg != expected) & inside
    lined = (expected > 0) & inside
    assert different.sum() < 0.2 * lined.sum()
    grown = torch.nn.functional.max_pool2d((expected > 0).float()[None, None], 3, 1, 1)[0, 0] > 0
    shrunk = torch.nn.functional.max_pool2d((expected == 0).float()[None, None], 3, 1, 1)[0, 0] > 0
    assert (seg[inside & ~grown] == 0).all()
    assert (seg[inside & ~shrunk] > 0).all()


@pytest.mark.parametrize("flip_x, flip_y", [(True, False), (False, True), (True, True), (False, False)])
def test_flipping_is_flipping_the_scene(flip_x: bool, flip_y: bool):
    feat, batch = make_batch()
    flip = BevFlip(bev_size=BEV, map_size=MAP)
    moved, changed = flip.flip(feat, batch, torch.tensor([flip_x]), torch.tensor([flip_y]))
    mirror = np.diag([-1.0 if flip_x else 1.0, -1.0 if flip_y else 1.0, 1.0, 1.0])
    torch.testing.assert_close(moved, smooth_features(mirror))
    labels = rasterize_map(map_lines(mirror), BevGrid.from_size(MAP), 1.5)
    assert torch.equal(changed["gt_seg"][0], torch.from_numpy(labels))
    boxes = carried(boxes_within(24.0, 20, seed=1), mirror)
    assert_same_boxes(changed["gt_boxes"][0], torch.from_numpy(boxes).float())


@pytest.mark.parametrize(
    "transform", [BevRotate(bev_size=BEV, map_size=MAP), BevFlip(bev_size=BEV, map_size=MAP)]
)
def test_the_batch_that_came_in_is_left_as_it_was(transform: Any):
    feat, batch = make_batch(samples=3)
    before_feat, before = feat.clone(), copy.deepcopy(batch)
    torch.manual_seed(0)
    _, changed = transform(feat, batch)
    assert torch.equal(feat, before_feat)
    assert batch.keys() == before.keys() == changed.keys()
    for key in ("gt_boxes", "gt_labels"):
        for one, other in zip(batch[key], before[key], strict=True):
            assert torch.equal(one.nan_to_num(), other.nan_to_num())
    assert torch.equal(batch["gt_seg"], before["gt_seg"])
    assert changed["token"] is batch["token"]


def test_each_sample_of_a_batch_has_its_own_draw():
    feat, batch = make_batch(samples=8)
    torch.manual_seed(0)
    rotated, changed = BevRotate(bev_size=BEV, map_size=MAP)(feat, batch)
    assert len({float(boxes[0, 6]) for boxes in changed["gt_boxes"]}) == 8
    angles = [float(boxes[0, 6] - batch["gt_boxes"][0][0, 6]) for boxes in changed["gt_boxes"]]
    angles = [(a + np.pi) % (2 * np.pi) - np.pi for a in angles]
    assert max(map(abs, angles)) <= 0.3925 + 1e-6 and min(angles) < 0 < max(angles)
    expected = smooth_features(planar(0, 0, angles[3]))
    inside = known(BEV, angles[3], 1.0, upscale=2)
    assert (rotated[3] - expected[0])[:, inside].abs().max() < 0.01

    flipped, changed = BevFlip(bev_size=BEV, map_size=MAP, prob_x=0.0, prob_y=0.5)(feat, batch)
    mirrored = [bool((f != o).any()) for f, o in zip(flipped, feat, strict=True)]
    assert 0 < sum(mirrored) < 8
    for was, boxes in zip(mirrored, changed["gt_boxes"], strict=True):
        assert bool(boxes[0, 1] == -batch["gt_boxes"][0][0, 1]) is was


def test_boxes_that_leave_the_range_are_dropped_with_their_labels():
    boxes = torch.zeros(2, 9)
    boxes[0, :2] = torch.tensor([38.0, 25.0])  # a corner
    boxes[1, :2] = torch.tensor([10.0, 0.0])
    batch = {
        "gt_boxes": [boxes],
        "gt_labels": [torch.tensor([4, 7])],
        "gt_seg": torch.zeros(1, 120, 240).long(),
    }
    rotate = BevRotate(bev_size=BEV, map_size=MAP)
    _, changed = rotate.rotate(torch.zeros(1, 1, 64, 96), batch, torch.tensor([0.3], dtype=torch.float64))
    assert changed["gt_labels"][0].tolist() == [7]
    assert BevGrid.from_size(BEV).contains(changed["gt_boxes"][0][:, :2]).all()


def test_samples_without_boxes_pass():
    batch = {
        "gt_boxes": [torch.zeros(0, 9)],
        "gt_labels": [torch.zeros(0).long()],
        "gt_seg": torch.zeros(1, 120, 240).long(),
    }
    feat = torch.zeros(1, 1, 64, 96)
    for transform in (BevRotate(bev_size=BEV, map_size=MAP), BevFlip(bev_size=BEV, map_size=MAP)):
        _, changed = transform(feat, batch)
        assert changed["gt_boxes"][0].shape == (0, 9) and changed["gt_labels"][0].shape == (0,)


def test_half_precision_features_are_sampled_at_full_precision_places():
    feat, batch = make_batch()
    angle = torch.tensor([0.3], dtype=torch.float64)
    rotate = BevRotate(bev_size=BEV, map_size=MAP)
    half, _ = rotate.rotate(feat.bfloat16(), batch, angle)
    assert half.dtype == torch.bfloat16
    full, _ = rotate.rotate(feat.bfloat16().float(), batch, angle)
    assert torch.equal(half, full.bfloat16())


def test_gradients_flow_through_to_the_features():
    feat, batch = make_batch()
    feat.requires_grad_()
    torch.manual_seed(0)
    for transform in (BevRotate(bev_size=BEV, map_size=MAP), BevFlip(bev_size=BEV, map_size=MAP)):
        (gradient,) = torch.autograd.grad(transform(feat, batch)[0].sum(), feat)
        assert gradient.abs().sum() > 0


def test_bad_values_are_named():
    with pytest.raises(RunError, match=r"`rot` must be \(lowest, highest\) in radians, got \(1, -1\)"):
        BevRotate(bev_size=BEV, map_size=MAP, rot=(1, -1))
    with pytest.raises(RunError, match="`prob_y` must lie in 0 to 1, got 2"):
        BevFlip(bev_size=BEV, map_size=MAP, prob_y=2)
