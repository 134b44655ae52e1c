"""What the centre point head should answer for the boxes of a batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from runtime.geometry.bev_grid import BevGrid
from runtime.tasks.detection.class_table import ClassTable
from runtime.tasks.detection.gaussian import draw_gaussians, gaussian_radius

_CODE_LENGTH = 10
"""Numbers that a box is regressed by: offset x, y; z; dim w, l, h; sin and cos of yaw; velocity x, y."""


_SMALLEST_SIZE = 1e-3
"""Metres; a box without extent must not give an infinite logarithm."""


class CenterPoint3dTarget(nn.Module):
    """Heatmaps and box codes (Yin et al., CenterPoint, 2021), for all tasks at once.

    The cell that holds a box's centre gets a peak of 1 on the heatmap of its class and the box code: offset
    of the centre from the cell's centre as (column, row) in cells, z in metres, size (logarithm of metres
    with `norm_bbox`), sine and cosine of yaw, velocity in metres per second.

    Args:
        class_names: classes in label order.
        tasks: class names of each task; boxes of other classes are left out.
        bev_size: (half_y, half_x, metres_per_cell) of the BEV grid.
        bbox_weight: loss weight of each of the ten numbers.
        gaussian_overlap: IoU that a box shifted by the peak's radius keeps with itself.
        min_radius: smallest radius of a peak, in cells.
        out_size_factor: BEV cells along one side of a feature cell.
        norm_bbox: regress the logarithm of sizes.
        max_num: boxes of one task in one sample; those beyond have neither peak nor code.
    """

    bbox_weight: Tensor
    task_of_label: Tensor
    channel_of_label: Tensor

    def __init__(
        self,
        *,
        class_names: Sequence[str],
        tasks: Sequence[Sequence[str]],
        bev_size: Sequence[float],
        bbox_weight: Sequence[float],
        gaussian_overlap: float = 0.1,
        min_radius: int = 2,
        out_size_factor: int = 1,
        norm_bbox: bool = True,
        max_num: int = 500,
    ) -> None:
        super().__init__()
        if len(bbox_weight) != _CODE_LENGTH:
            raise ValueError(f"`bbox_weight` has {len(bbox_weight)} values, expected {_CODE_LENGTH}")
        self.classes = ClassTable.build(class_names, tasks)
        self.grid = BevGrid.from_size(bev_size).scaled(1 / out_size_factor)
        self.gaussian_overlap = gaussian_overlap
        self.min_radius = min_radius
        self.norm_bbox = norm_bbox
        self.max_num = max_num
        self.register_buffer("bbox_weight", torch.tensor(list(bbox_weight)), persistent=False)
        self.register_buffer("task_of_label", torch.tensor(self.classes.task_of_label), persistent=False)
        self.register_buffer(
            "channel_of_label", torch.tensor(self.classes.channel_of_label), persistent=False
        )

    @torch.no_grad()
    def forward(
        self, gt_boxes: Sequence[Tensor], gt_labels: Sequence[Tensor], feature_shape: tuple[int, int]
    ) -> list[dict[str, Tensor]]:
        """Targets of every task.

        Args:
            gt_boxes: for each sample (N, 9) x, y, z, w, l, h, yaw, vx, vy in the ego frame; NaN velocity if
                unknown.
            gt_labels: for each sample (N,) int64.
            feature_shape: (H, W) of the heatmaps.

        Returns:
            for each task: `heatmap` (B, K, H, W) float32; `anno_box` (B, max_num, 10), always finite; `ind`
            (B, max_num) int64, row * W + column; `mask` (B, max_num) bool; `box_weight` (B, max_num, 10), 0
            where the mask is false and where the velocity is unknown.

        Raises:
            ValueError: the feature map does not have the cells of the BEV grid.
        """
        height, width = self.grid.shape
        if tuple(feature_shape) != (height, width):
            raise ValueError(
                f"the feature map has {tuple(feature_shape)} cells, the BEV grid {(height, width)}"
            )
        device = gt_boxes[0].device
        counts = [len(boxes) for boxes in gt_boxes]
        sample = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts)).to(device)
        boxes = torch.cat([boxes.reshape(-1, 9) for boxes in gt_boxes]).double()
        labels = torch.cat([labels.reshape(-1) for labels in gt_labels]).long()

        centre = self._cells(boxes[:, :2])
        cell = torch.floor(centre + 0.5).long()
        task = self.task_of_label.to(device)[labels]
        inside = (cell >= 0).all(1) & (cell[:, 0] < width) & (cell[:, 1] < height)
        slot = self._slots(sample, task, inside & (task >= 0), len(counts))
        keep = (slot >= 0) & (slot < self.max_num)
        sample, task, slot, labels = sample[keep], task[keep], slot[keep], labels[keep]
        boxes, centre, cell = boxes[keep], centre[keep], cell[keep]

        num_tasks, num_channels = len(self.classes.tasks), sum(self.classes.channels)
        heatmap = torch.zeros(len(counts) * num_channels, height, width, device=device)
        channel = sample * num_channels + self.channel_of_label.to(device)[labels]
        draw_gaussians(heatmap, channel, cell[:, 1], cell[:, 0], self._radius(boxes))
        heatmap = heatmap.view(len(counts), num_channels, height, width)

        slots = (num_tasks, len(counts), self.max_num)
        code, weight = self._code(boxes, centre - cell)
        anno_box = torch.zeros(*slots, _CODE_LENGTH, device=device)
        box_weight = torch.zeros(*slots, _CODE_LENGTH, device=device)
        ind = torch.zeros(slots, dtype=torch.int64, device=device)
        mask = torch.zeros(slots, dtype=torch.bool, device=device)
        anno_box[task, sample, slot] = code
        box_weight[task, sample, slot] = weight
        ind[task, sample, slot] = cell[:, 1] * width + cell[:, 0]
        mask[task, sample, slot] = True
        return [
            {
                "heatmap": h,
                "anno_box": anno_box[t],
                "ind": ind[t],
                "mask": mask[t],
                "box_weight": box_weight[t],
            }
            for t, h in enumerate(heatmap.split(self.classes.channels, dim=1))
        ]

    def _cells(self, xy: Tensor) -> Tensor:
        """Metres (N, 2) [x, y] to (column, row), as `BevGrid.metres_to_cells`, on the boxes' device."""
        return (xy + xy.new_tensor([self.grid.half_x, self.grid.half_y])) / self.grid.resolution - 0.5

    def _slots(self, sample: Tensor, task: Tensor, counted: Tensor, batch: int) -> Tensor:
        """For each box its number among the counted boxes of its sample and task; -1 if it is not counted."""
        num_tasks = len(self.classes.tasks)
        group = torch.where(counted, sample * num_tasks + task, batch * num_tasks)
        member = torch.nn.functional.one_hot(group, batch * num_tasks + 1)
        rank = member.cumsum(0).gather(1, group.unsqueeze(1)).squeeze(1) - 1
        return torch.where(counted, rank, -1)

    def _radius(self, boxes: Tensor) -> Tensor:
        """Radius of each peak in whole cells (N,) int64."""
        sides = boxes[:, 3:5] / self.grid.resolution
        radius = gaussian_radius(sides[:, 1], sides[:, 0], self.gaussian_overlap)
        return radius.floor().long().clamp(min=self.min_radius)

    def _code(self, boxes: Tensor, offset: Tensor) -> tuple[Tensor, Tensor]:
        """Box codes and their loss weights, both (N, 10) float32."""
        size = boxes[:, 3:6].clamp(min=_SMALLEST_SIZE).log() if self.norm_bbox else boxes[:, 3:6]
        yaw, velocity = boxes[:, 6:7], boxes[:, 7:9]
        known = torch.isfinite(velocity).all(1, keepdim=True)
        code = torch.cat(
            [offset, boxes[:, 2:3], size, yaw.sin(), yaw.cos(), torch.where(known, velocity, 0.0)], dim=1
        )
        weight = self.bbox_weight.to(boxes.device).expand(len(boxes), _CODE_LENGTH).clone()
        weight[:, 8:] *= known
        return code.float(), weight.float()
