"""3D detection in BEV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from runtime.models.interfaces import BevDecoder

BOX_CODE: dict[str, tuple[int, int]] = {
    "reg": (0, 2),
    "height": (2, 3),
    "dim": (3, 6),
    "rot": (6, 8),
    "vel": (8, 10),
}
"""First and last + 1 place of each regressed quantity among the ten values of a target box."""


class BevDetDecoder(BevDecoder):
    """Features to centre heatmaps and box values, and these to boxes.

    Args:
        name: see `BevDecoder`.
        task_weight: see `BevDecoder`.
        head: list of maps to a dict of maps for each task, `heatmap` (logits) and quantities of `BOX_CODE`.
        target: (boxes, labels, (H, W)) to a dict for each task: heatmap (B, K, H, W), anno_box (B, N, 10),
            ind (B, N) cell of each box, mask (B, N), box_weight (B, N, 10).
        loss_cls: (logits, heatmap, number of positives) to a scalar.
        loss_reg: (predicted values, target values, weights, number of positives) to a scalar.
        decoder: the head's output to detections of each sample.
    """

    def __init__(
        self,
        *,
        name: str = "bev_det",
        task_weight: float = 1.0,
        head: nn.Module,
        target: nn.Module,
        loss_cls: nn.Module,
        loss_reg: nn.Module,
        decoder: nn.Module,
    ) -> None:
        super().__init__(name=name, task_weight=task_weight)
        self.head = head
        self.target = target
        self.loss_cls = loss_cls
        self.loss_reg = loss_reg
        self.decoder = decoder

    def bind_features(self, shapes: Sequence[tuple[int, int]]) -> None:
        """Nothing to prepare: the target compares shapes itself."""

    def losses(self, features: Sequence[Tensor], batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """`loss_heatmap` and `loss_bbox`, each summed over the tasks, against the boxes of the batch."""
        raw = self.head(features)
        height, width = raw[0]["heatmap"].shape[-2:]
        targets = self.target(batch["gt_boxes"], batch["gt_labels"], (height, width))
        heatmap_losses, bbox_losses = [], []
        for output, target in zip(raw, targets, strict=True):
            positives = target["mask"].sum().to(torch.float32)
            heatmap_losses.append(self.loss_cls(output["heatmap"], target["heatmap"], positives))
            values, columns = _values_at(output, target["ind"])
            bbox_losses.append(
                self.loss_reg(
                    values, target["anno_box"][..., columns], target["box_weight"][..., columns], positives
                )
            )
        return {
            f"{self.name}/loss_heatmap": torch.stack(heatmap_losses).sum() * self.task_weight,
            f"{self.name}/loss_bbox": torch.stack(bbox_losses).sum() * self.task_weight,
        }

    def raw_outputs(self, features: Sequence[Tensor]) -> dict[str, Tensor]:
        """Every map of every task under `<name>/<task number>/<quantity>`."""
        return {
            f"{self.name}/{task}/{quantity}": value
            for task, output in enumerate(self.head(features))
            for quantity, value in output.items()
        }

    def decode(self, raw: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
        """For each sample `boxes` (N, 9), `scores` (N,), `labels` (N,)."""
        tasks: dict[int, dict[str, Tensor]] = {}
        for key, value in raw.items():
            decoder, _, rest = key.partition("/")
            if decoder == self.name:
                task, _, quantity = rest.partition("/")
                tasks.setdefault(int(task), {})[quantity] = value
        return self.decoder([tasks[number] for number in sorted(tasks)])


def _values_at(output: Mapping[str, Tensor], cells: Tensor) -> tuple[Tensor, list[int]]:
    """The head's values (B, N, c) at cells (B, N), and the c places of a box code that they predict."""
    quantities = [name for name in BOX_CODE if name in output]
    maps = torch.cat([output[name] for name in quantities], dim=1).flatten(2)
    values = maps.gather(2, cells.unsqueeze(1).expand(-1, maps.shape[1], -1)).transpose(1, 2)
    return values, [place for name in quantities for place in range(*BOX_CODE[name])]
