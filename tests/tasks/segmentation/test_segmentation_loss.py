"""Segmentation target, loss and decoder: values worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from runtime.tasks.segmentation.decoder import FCNDecoder
from runtime.tasks.segmentation.loss import CrossEntropyLossV2
from runtime.tasks.segmentation.target import FCNTarget

LABELS = torch.tensor([[[0, 1], [3, -1]]])


def test_softmax_target_is_the_label_map() -> None:
    assert FCNTarget(use_bce=False, num_classes=4)(LABELS) is LABELS


def test_bce_target_has_a_channel_for_each_foreground_class() -> None:
    target = FCNTarget(use_bce=True, num_classes=3)(LABELS)
    expected = torch.tensor([[[[0, 1], [0, -1]], [[0, 0], [0, -1]], [[0, 0], [1, -1]]]]).float()
    assert torch.equal(target, expected)


def test_softmax_loss_is_the_weighted_mean_over_known_cells() -> None:
    logits = torch.zeros(1, 4, 2, 2)
    logits[0, 1, 0, 1] = math.log(5)  # probability of class 1 there: 5 / (5 + 3)
    loss = CrossEntropyLossV2(class_weight=[1.0, 5.0, 5.0, 5.0])(logits, LABELS)
    by_hand = (1 * math.log(4) + 5 * math.log(8 / 5) + 5 * math.log(4)) / 11
    assert list(loss) == ["loss_decode"]
    assert float(loss["loss_decode"]) == pytest.approx(by_hand, rel=1e-6)


def test_softmax_loss_sum_and_no_weights() -> None:
    logits = torch.zeros(1, 4, 2, 2)
    total = CrossEntropyLossV2(loss_name="map", reduction="sum")(logits, LABELS)["loss_map"]
    assert float(total) == pytest.approx(3 * math.log(4), rel=1e-6)
    mean = CrossEntropyLossV2()(logits, LABELS)["loss_decode"]
    assert float(mean) == pytest.approx(math.log(4), rel=1e-6)


def test_sigmoid_loss_weighs_positives() -> None:
    target = FCNTarget(use_bce=True, num_classes=3)(LABELS)
    loss = CrossEntropyLossV2(use_sigmoid=True, class_weight=2.0)
    value = loss(torch.zeros(1, 3, 2, 2), target)["loss_decode"]
    # Nine known values, two of them positive and counted twice, each log 2.
    assert float(value) == pytest.approx((7 + 2 * 2) * math.log(2) / 9, rel=1e-6)
    weights = CrossEntropyLossV2(use_sigmoid=True, class_weight=[2.0, 1.0, 4.0], reduction="sum")
    value = weights(torch.zeros(1, 3, 2, 2), target)["loss_decode"]
    assert float(value) == pytest.approx((7 + 2 + 4) * math.log(2), rel=1e-6)


@pytest.mark.parametrize("use_sigmoid", [False, True])
def test_ignored_cells_have_no_gradient_and_nothing_known_is_no_loss(use_sigmoid: bool) -> None:
    target_of = FCNTarget(use_bce=use_sigmoid, num_classes=3 if use_sigmoid else 4)
    loss_of = CrossEntropyLossV2(use_sigmoid=use_sigmoid)
    logits = torch.randn(1, target_of.num_classes, 2, 2, requires_grad=True)
    loss_of(logits, target_of(LABELS))["loss_decode"].backward()
    assert logits.grad is not None
    assert (logits.grad[..., 1, 1] == 0).all()
    assert (logits.grad[..., 0, 0] != 0).all()
    nothing = loss_of(logits.detach(), target_of(torch.full_like(LABELS, -1)))["loss_decode"]
    assert float(nothing) == 0.0


def test_shapes_and_weights_are_checked() -> None:
    with pytest.raises(ValueError, match=r"targets have shape \(1, 2, 3\), expected \(1, 2, 2\)"):
        CrossEntropyLossV2()(torch.zeros(1, 4, 2, 2), torch.zeros(1, 2, 3, dtype=torch.int64))
    with pytest.raises(ValueError, match="`class_weight` has 3 values, the logits have 4 channels"):
        CrossEntropyLossV2(class_weight=[1, 1, 1])(torch.zeros(1, 4, 2, 2), LABELS)
    with pytest.raises(ValueError, match="reduction is 'none'"):
        CrossEntropyLossV2(reduction="none")  # type: ignore[arg-type]


def test_decoder_takes_the_largest_logit() -> None:
    logits = torch.tensor([[0.1, 2.0], [0.3, -1.0], [0.2, 1.0]]).view(1, 3, 1, 2)
    assert FCNDecoder()(logits).tolist() == [[[1, 0]]]


def test_bce_decoder_gives_back_the_labels() -> None:
    labels = torch.tensor([[[0, 1, 2, 3]]])
    logits = FCNTarget(use_bce=True, num_classes=3)(labels) * 8 - 4
    assert torch.equal(FCNDecoder(use_bce=True)(logits), labels)


def test_bce_decoder_prefers_the_likelier_class_and_heeds_the_threshold() -> None:
    logits = torch.tensor([[1.0, 0.5, -0.5], [2.0, 0.1, -2.0]]).view(1, 2, 1, 3)
    assert FCNDecoder(use_bce=True)(logits).tolist() == [[[2, 1, 0]]]
    assert FCNDecoder(use_bce=True, threshold=0.7)(logits).tolist() == [[[2, 0, 0]]]


def test_bce_decoder_with_a_background_channel() -> None:
    logits = torch.tensor([[9.0, 9.0], [1.0, -1.0]]).view(1, 2, 1, 2)
    assert FCNDecoder(use_bce=True, bg_cls=0)(logits).tolist() == [[[1, 0]]]


def test_decoder_upsamples_logits_not_labels() -> None:
    logits = torch.tensor([[0.0, 3.0], [1.0, 1.0]]).view(1, 2, 1, 2)
    labels = FCNDecoder(upsample_output_scale=4)(logits)
    # The first logit rises 0, 0, .375, 1.125, ...: it passes the second between two cells of the coarse map.
    assert labels[0, 0].tolist() == [1, 1, 1, 0, 0, 0, 0, 0]
    assert labels.shape == (1, 4, 8)
