"""Confusion matrices and IoU by hand."""

from __future__ import annotations

import math

import pytest
import torch

from runtime.evaluation.segmentation_iou import confusion_matrix, iou_per_class, iou_summary

TRUTH = torch.tensor([[0, 0, 1, 1], [2, 2, -1, 0]])
FOUND = torch.tensor([[0, 1, 1, 0], [2, 1, 2, 0]])


def test_confusion_rows_are_truth() -> None:
    assert confusion_matrix(FOUND, TRUTH, 3).tolist() == [[2, 1, 0], [1, 1, 0], [0, 1, 1]]


def test_iou_by_hand() -> None:
    values = iou_per_class(confusion_matrix(FOUND, TRUTH, 4))
    assert values[:3] == pytest.approx([2 / 4, 1 / 4, 1 / 2])
    assert math.isnan(values[3])


def test_means_with_and_without_background_leave_out_absent_classes() -> None:
    summary = iou_summary(confusion_matrix(FOUND, TRUTH, 4), ["others", "divider", "crossing", "boundary"])
    assert list(summary) == ["IoU/others", "IoU/divider", "IoU/crossing", "IoU/boundary", "mIoU", "mIoU_all"]
    assert summary["mIoU"] == pytest.approx((1 / 4 + 1 / 2) / 2)
    assert summary["mIoU_all"] == pytest.approx((2 / 4 + 1 / 4 + 1 / 2) / 3)


def test_a_class_that_is_only_predicted_counts_as_zero() -> None:
    found, truth = torch.tensor([0, 3]), torch.tensor([0, 0])
    assert iou_per_class(confusion_matrix(found, truth, 4))[3] == 0.0


def test_nothing_seen_is_not_a_number() -> None:
    assert math.isnan(iou_summary(torch.zeros(4, 4), list("abcd"))["mIoU"])


def test_labels_are_checked() -> None:
    with pytest.raises(ValueError, match=r"predicted labels are in \[0, 2\], expected \[0, 2\)"):
        confusion_matrix(FOUND, TRUTH.clamp(max=1), 2)
    with pytest.raises(ValueError, match=r"true labels are in \[-1, 2\], expected \[0, 3\)"):
        confusion_matrix(FOUND, TRUTH, 3, ignore_index=255)
    with pytest.raises(ValueError, match=r"predicted labels \(2, 4\) against truth \(1, 4\)"):
        confusion_matrix(FOUND, TRUTH[:1], 3)
