"""Boxes from the answers of the centre point head."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from runtime.geometry.bev_grid import BevGrid
from runtime.geometry.nms import circle_nms, rotate_nms
from runtime.tasks.detection.class_table import ClassTable
from runtime.tasks.detection.ranking import best_first

_LARGEST_LOG_SIZE = 7.0
"""exp(7) is 1.1 km: no real box, and far from the overflow that an untrained head may reach."""


class CenterPoint3dDecoder(nn.Module):
    """Peaks of the heatmaps to boxes in metres, then non-maximum suppression task by task.

    Args:
        class_names: classes in label order.
        tasks: class names of each task.
        bev_size: (half_y, half_x, metres_per_cell) of the BEV grid.
        out_size_factor: BEV cells along one side of a feature cell.
        use_max_pool: only cells that are the maximum of their neighbourhood count as peaks.
        max_pool_kernel: side of that neighbourhood in cells, odd.
        score_threshold: a box needs a score above it.
        nms_type: for each task `rotate` (BEV IoU above `nms_threshold`) or `circle` (squared centre distance
            at most `min_radius`); classes of one task suppress each other.
        min_radius: for each task, square metres.
        nms_threshold: for each task, an IoU.
        decode_to_ego: centres in metres of the ego frame; otherwise x, y are (column, row) of the feature
            map.
        norm_bbox: the size is regressed as a logarithm.
        max_num: peaks of a task that are looked at, and boxes of a sample that are returned, best first.

    Raises:
        ValueError: a list does not have one value for each task, or the kernel is even.
    """

    def __init__(
        self,
        *,
        class_names: Sequence[str],
        tasks: Sequence[Sequence[str]],
        bev_size: Sequence[float],
        out_size_factor: int = 1,
        use_max_pool: bool = True,
        max_pool_kernel: int = 3,
        score_threshold: float = 0.1,
        nms_type: Sequence[Literal["rotate", "circle"]],
        min_radius: Sequence[float],
        nms_threshold: Sequence[float],
        decode_to_ego: bool = True,
        norm_bbox: bool = True,
        max_num: int = 500,
    ) -> None:
        super().__init__()
        self.classes = ClassTable.build(class_names, tasks)
        for name, values in (
            ("nms_type", nms_type),
            ("min_radius", min_radius),
            ("nms_threshold", nms_threshold),
        ):
            if len(values) != len(tasks):
                raise ValueError(f"`{name}` has {len(values)} values for {len(tasks)} tasks")
        for kind in nms_type:
            if kind not in ("rotate", "circle"):
                raise ValueError(f"nms_type is {kind!r}, expected 'rotate' or 'circle'")
        if max_pool_kernel % 2 == 0:
            raise ValueError(f"max_pool_kernel is {max_pool_kernel}, expected an odd number")
        self.grid = BevGrid.from_size(bev_size).scaled(1 / out_size_factor)
        self.use_max_pool = use_max_pool
        self.max_pool_kernel = max_pool_kernel
        self.score_threshold = score_threshold
        self.nms_type = tuple(nms_type)
        self.min_radius = tuple(min_radius)
        self.nms_threshold = tuple(nms_threshold)
        self.decode_to_ego = decode_to_ego
        self.norm_bbox = norm_bbox
        self.max_num = max_num

    @torch.no_grad()
    def forward(self, raw: Sequence[Mapping[str, Tensor]]) -> list[dict[str, Tensor]]:
        """Head answers to the detections of each sample.

        Args:
            raw: for each task `heatmap` (B, K, H, W) logits, `reg` (B, 2, H, W), `height` (B, 1, H, W), `dim`
                (B, 3, H, W), `rot` (B, 2, H, W) sine and cosine, and `vel` (B, 2, H, W), which may be
                missing.

        Returns:
            for each sample `boxes` (N, 9) float32 x, y, z, w, l, h, yaw, vx, vy; `scores` (N,) float32;
            `labels` (N,) int64; on the CPU, best score first.

        Raises:
            ValueError: another number of tasks than this decoder was made for.
        """
        if len(raw) != len(self.classes.tasks):
            raise ValueError(f"head answers for {len(raw)} tasks, expected {len(self.classes.tasks)}")
        # Everything up to here runs on the device; the walk of the suppression does not suit one.
        candidates = [
            tuple(part.cpu() for part in self._peaks(answer, labels))
            for answer, labels in zip(raw, self.classes.labels, strict=True)
        ]
        return [self._sample(candidates, index) for index in range(raw[0]["heatmap"].shape[0])]

    def _peaks(self, answer: Mapping[str, Tensor], labels: tuple[int, ...]) -> tuple[Tensor, Tensor, Tensor]:
        """The best peaks of one task: boxes (B, k, 9) in metres, scores (B, k), labels (B, k)."""
        score = answer["heatmap"].float().sigmoid()
        batch, _, height, width = score.shape
        if self.use_max_pool:
            around = F.max_pool2d(score, self.max_pool_kernel, stride=1, padding=self.max_pool_kernel // 2)
            score = score * (score == around)
        flat = score.flatten(1)
        index = best_first(flat, min(self.max_num, flat.shape[1]))
        channel, cell = index // (height * width), index % (height * width)

        def at_peaks(name: str) -> Tensor:
            """Values (B, k, c) of a branch at the peaks' cells."""
            values = answer[name].float().flatten(2).transpose(1, 2)
            return values.gather(1, cell.unsqueeze(-1).expand(-1, -1, values.shape[2]))

        column_row = torch.stack([cell % width, cell // width], dim=-1) + at_peaks("reg")
        origin = column_row.new_tensor([self.grid.half_x, self.grid.half_y])
        centre = (column_row + 0.5) * self.grid.resolution - origin
        size = at_peaks("dim")
        if self.norm_bbox:
            size = size.clamp(-_LARGEST_LOG_SIZE, _LARGEST_LOG_SIZE).exp()
        else:
            # A head that has learned little may answer with no size at all, or one below zero.
            size = size.clamp(math.exp(-_LARGEST_LOG_SIZE), math.exp(_LARGEST_LOG_SIZE))
        sin_cos = at_peaks("rot")
        yaw = torch.atan2(sin_cos[..., 0:1], sin_cos[..., 1:2])
        velocity = at_peaks("vel") if "vel" in answer else centre.new_zeros(batch, cell.shape[1], 2)
        boxes = torch.cat([centre, at_peaks("height"), size, yaw, velocity], dim=-1)
        return boxes, flat.gather(1, index), torch.tensor(labels, device=cell.device)[channel]

    def _sample(self, candidates: Sequence[tuple[Tensor, ...]], index: int) -> dict[str, Tensor]:
        """Threshold and suppression of one sample, all tasks together again."""
        kept: list[tuple[Tensor, ...]] = []
        for task, parts in enumerate(candidates):
            boxes, scores, labels = (part[index] for part in parts)
            above = scores > self.score_threshold
            boxes, scores, labels = boxes[above], scores[above], labels[above]
            if self.nms_type[task] == "rotate":
                stays = rotate_nms(boxes, scores, self.nms_threshold[task])
            else:
                stays = circle_nms(boxes, scores, self.min_radius[task])
            kept.append((boxes[stays], scores[stays], labels[stays]))
        boxes, scores, labels = (torch.cat(parts) for parts in zip(*kept, strict=True))
        order = torch.argsort(scores, descending=True, stable=True)[: self.max_num]
        boxes, scores, labels = boxes[order], scores[order], labels[order]
        if not self.decode_to_ego:
            origin = boxes.new_tensor([self.grid.half_x, self.grid.half_y])
            boxes[:, :2] = (boxes[:, :2] + origin) / self.grid.resolution - 0.5
        return {"boxes": boxes, "scores": scores, "labels": labels}
