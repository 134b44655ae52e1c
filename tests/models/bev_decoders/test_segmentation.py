"""BevSegDecoder: re-sampling to the task's grid, losses, labels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from runtime.geometry.bev_grid import BevGrid
from runtime.models.bev_decoders.segmentation import BevSegDecoder
from runtime.tasks.segmentation.decoder import FCNDecoder
from runtime.tasks.segmentation.loss import CrossEntropyLossV2
from runtime.tasks.segmentation.target import FCNTarget

BEV, TASK = (16.0, 24.0, 1.0), (6.0, 12.0, 0.5)


class PassOn(nn.Module):
    """A head that gives out what it gets."""

    def __init__(self, input_index: int = 0) -> None:
        super().__init__()
        self.input_index = input_index

    def forward(self, features: list[torch.Tensor]) -> torch.Tensor:
        return features[self.input_index]


def build(head: nn.Module | None = None, **changes) -> BevSegDecoder:
    arguments = {
        "bev_size": BEV,
        "task_size": TASK,
        "head": head or PassOn(),
        "target": FCNTarget(),
        "loss": CrossEntropyLossV2(),
        "decoder": FCNDecoder(),
    }
    return BevSegDecoder(**{**arguments, **changes})


def coordinates(grid: BevGrid) -> torch.Tensor:
    """A map (1, 2, H, W) whose two channels are x and y of each cell."""
    return torch.from_numpy(np.moveaxis(grid.centres(), -1, 0)).float().unsqueeze(0)


def test_resampled_cells_keep_their_place_in_metres() -> None:
    decoder = build()
    logits = decoder.raw_outputs([coordinates(BevGrid.from_size(BEV))])["bev_seg"]
    # Linear functions pass bilinear sampling unchanged, but for the steps of 1/256 cell.
    torch.testing.assert_close(logits, coordinates(BevGrid.from_size(TASK)), rtol=0, atol=1 / 256)


def test_maps_of_other_resolutions_are_resampled_too() -> None:
    decoder = build(PassOn(1))
    decoder.bind_features([(64, 96), (16, 24)])
    half = coordinates(BevGrid(16.0, 24.0, 2.0))
    logits = decoder.raw_outputs([torch.zeros(1, 2, 64, 96), half])["bev_seg"]
    torch.testing.assert_close(logits, coordinates(BevGrid.from_size(TASK)), rtol=0, atol=2 / 256)
    with pytest.raises(ValueError, match=r"bev_seg: expected features of \(16, 24\) cells, got \(64, 96\)"):
        decoder.raw_outputs([half, torch.zeros(1, 2, 64, 96)])


def test_equal_grids_need_no_resampling() -> None:
    decoder = build(task_size=BEV)
    assert decoder.resample is None
    features = torch.randn(1, 4, 32, 48)
    assert decoder.raw_outputs([features])["bev_seg"] is features
    decoder.bind_features([(16, 24)])
    assert decoder.resample is not None
    assert decoder.raw_outputs([features[..., ::2, ::2]])["bev_seg"].shape == (1, 4, 32, 48)


def test_the_grid_is_no_weight() -> None:
    assert build().state_dict() == {}


def test_losses_are_weighted_and_named() -> None:
    features = [torch.randn(2, 4, 32, 48)]
    batch = {"gt_seg": torch.randint(0, 4, (2, 24, 48))}
    once = build(name="roads").losses(features, batch)
    assert list(once) == ["roads/loss_decode"]
    ten = build(name="roads", task_weight=10.0).losses(features, batch)
    torch.testing.assert_close(ten["roads/loss_decode"], 10 * once["roads/loss_decode"])


def test_decoded_labels() -> None:
    decoder = build()
    raw = decoder.raw_outputs([torch.randn(2, 4, 32, 48)])
    assert torch.equal(decoder.decode(raw), raw["bev_seg"].argmax(1))


def test_parts_that_disagree_about_bce() -> None:
    with pytest.raises(ValueError, match="bev_seg: use_bce is True, but use_bce of its FCNTarget is False"):
        build(use_bce=True)
    with pytest.raises(
        ValueError, match="use_bce is False, but use_sigmoid of its CrossEntropyLossV2 is True"
    ):
        build(loss=CrossEntropyLossV2(use_sigmoid=True))
    build(
        use_bce=True,
        target=FCNTarget(use_bce=True, num_classes=3),
        loss=CrossEntropyLossV2(use_sigmoid=True),
        decoder=FCNDecoder(use_bce=True),
    )
