"""Putting samples together to a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch


def collate_nuscenes(samples: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A batch of B samples of `NuscenesDataset`.

    Returns:
        `img` (B * V, 3, H, W), the views of a sample beside each other; `ego2img` (B, V, 4, 4) float64;
        `gt_boxes` and `gt_labels` lists of B tensors (Ni, 9) and (Ni,); `gt_seg` (B, h, w); `token` list of
        B; `ego2global` (B, 4, 4) float64.
    """
    return {
        "img": torch.cat([sample["img"] for sample in samples]),
        "ego2img": torch.stack([sample["ego2img"] for sample in samples]),
        "gt_boxes": [sample["gt_boxes"] for sample in samples],
        "gt_labels": [sample["gt_labels"] for sample in samples],
        "gt_seg": torch.stack([sample["gt_seg"] for sample in samples]),
        "token": [sample["token"] for sample in samples],
        "ego2global": torch.stack([sample["ego2global"] for sample in samples]),
    }
