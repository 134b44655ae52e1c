"""Detection losses worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from runtime.tasks.detection.gaussian_focal_loss import GaussianFocalLoss
from runtime.tasks.detection.l1_loss import L1Loss
from runtime.tasks.detection.positives import positives_per_rank


def test_focal_loss_is_the_formula() -> None:
    probability = torch.tensor([0.3, 0.6, 0.1, 0.9])
    target = torch.tensor([1.0, 0.5, 0.0, 1.0])
    loss = GaussianFocalLoss(loss_weight=3.0)(probability.logit(), target, torch.tensor(2.0))
    by_hand = -(
        0.7**2 * math.log(0.3)
        + 0.5**4 * 0.6**2 * math.log(0.4)
        + 0.1**2 * math.log(0.9)
        + 0.1**2 * math.log(0.9)
    )
    assert float(loss) == pytest.approx(3 * by_hand / 2, rel=1e-5)


def test_focal_loss_other_exponents() -> None:
    probability, target = torch.tensor([0.3, 0.6]), torch.tensor([1.0, 0.5])
    loss = GaussianFocalLoss(alpha=1.0, gamma=2.0)(probability.logit(), target, torch.tensor(1.0))
    assert float(loss) == pytest.approx(-(0.7 * math.log(0.3) + 0.25 * 0.6 * math.log(0.4)), rel=1e-5)


def test_focal_loss_without_objects_divides_by_one() -> None:
    logits, target = torch.full((1, 1, 2, 2), -2.19), torch.zeros(1, 1, 2, 2)
    loss = GaussianFocalLoss()(logits, target, torch.tensor(0.0))
    p = 1 / (1 + math.exp(2.19))
    assert float(loss) == pytest.approx(-4 * p**2 * math.log(1 - p), rel=1e-5)


@pytest.mark.parametrize("size", [80.0, 1000.0])
def test_focal_loss_of_extreme_logits_is_finite_with_gradient(size: float) -> None:
    logits = torch.tensor([size, -size, size, -size], requires_grad=True)
    target = torch.tensor([1.0, 1.0, 0.0, 0.0])
    loss = GaussianFocalLoss()(logits, target, torch.tensor(1.0))
    loss.backward()
    assert logits.grad is not None
    assert loss.item() == pytest.approx(2 * size)
    assert logits.grad.tolist() == pytest.approx([0, -1, 1, 0])


def test_focal_loss_in_half_precision_is_computed_in_float32() -> None:
    logits, target = torch.full((1, 1, 64, 64), -9.0), torch.zeros(1, 1, 64, 64)
    full = GaussianFocalLoss()(logits, target, torch.tensor(1.0))
    half = GaussianFocalLoss()(logits.bfloat16(), target, torch.tensor(1.0))
    assert half.dtype == torch.float32
    assert float(half) == float(full) > 0


def test_focal_loss_checks_shapes() -> None:
    with pytest.raises(ValueError, match=r"heatmap logits \(1, 2\) against target \(2, 1\)"):
        GaussianFocalLoss()(torch.zeros(1, 2), torch.zeros(2, 1), torch.tensor(1.0))


def test_l1_loss_is_the_weighted_sum_over_boxes() -> None:
    pred = torch.tensor([[[1.0, 5.0], [7.0, -7.0]]])
    target = torch.tensor([[[0.0, 2.0], [0.0, 0.0]]])
    weight = torch.tensor([[[1.0, 0.2], [0.0, 0.0]]])
    loss = L1Loss(loss_weight=0.25)(pred, target, weight, torch.tensor(4.0))
    assert float(loss) == pytest.approx(0.25 * (1 + 0.2 * 3) / 4)
    with pytest.raises(ValueError, match="box codes"):
        L1Loss()(pred, target[:, :1], weight, torch.tensor(1.0))


def test_l1_loss_without_boxes_is_zero_and_not_nan() -> None:
    nothing = torch.zeros(2, 5, 10)
    assert float(L1Loss()(torch.randn(2, 5, 10), nothing, nothing, torch.tensor(0.0))) == 0.0


def test_positives_in_one_process() -> None:
    assert positives_per_rank(torch.tensor([0.0, 1.0, 7.0])).tolist() == [1, 1, 7]
