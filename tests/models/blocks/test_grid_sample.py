"""Sampling at absolute pixels."""

from __future__ import annotations

import pytest
import torch

from runtime.models.blocks import GridSample

MAP = torch.tensor([[0.0, 10.0, 20.0], [40.0, 50.0, 60.0]]).view(1, 1, 2, 3)


@pytest.mark.parametrize(
    ("column", "row", "value"),
    [
        (0, 0, 0.0),
        (2, 1, 60.0),
        (1, 0, 10.0),
        (0.5, 0, 5.0),
        (1.25, 0.5, 0.75 * 30 + 0.25 * 40),
        (2.5, 1, 30.0),  # half-way out
        (-1, 1, 0.0),
        (3, 1, 0.0),
        (1, -1, 0.0),
        (1, 2, 0.0),
        (-1e4, 7e3, 0.0),
    ],
)
def test_values(column: float, row: float, value: float) -> None:
    sampled = GridSample(point_scale=1 / 256)(MAP, torch.tensor([float(column), float(row)]).view(1, 1, 1, 2))
    assert sampled.item() == pytest.approx(value, abs=1e-4)


def test_each_map_of_a_batch_has_its_own_points() -> None:
    points = torch.tensor([[0.0, 0.0], [1.0, 0.0]]).view(2, 1, 1, 2)
    sampled = GridSample(point_scale=1 / 256)(MAP.expand(2, 1, 2, 3), points).flatten()
    assert sampled.tolist() == pytest.approx([0.0, 10.0], abs=1e-4)


def test_gradient_is_that_of_the_formula() -> None:
    x = torch.randn(2, 2, 4, 5, dtype=torch.float64, requires_grad=True)
    points = torch.rand(2, 3, 3, 2, dtype=torch.float64) * 6 - 1
    assert torch.autograd.gradcheck(lambda y: GridSample(point_scale=1 / 256)(y, points), (x,))


def test_half_precision_features_do_not_blunt_the_points() -> None:
    ramp = torch.arange(256.0).expand(1, 1, 2, 256)
    points = torch.tensor([200 + 1 / 256, 0.5]).view(1, 1, 1, 2)
    sampled = GridSample(point_scale=1 / 256)(ramp.to(torch.bfloat16), points)
    assert sampled.dtype == torch.bfloat16
    exact = GridSample(point_scale=1 / 256)(ramp, points)
    assert sampled.item() == exact.to(torch.bfloat16).item()
    # Coordinates in bfloat16 would be off by up to half a pixel here.
    assert exact.item() == pytest.approx(200 + 1 / 256, abs=1e-3)
