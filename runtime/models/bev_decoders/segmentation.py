"""Map segmentation in BEV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from runtime.geometry.bev_grid import BevGrid
from runtime.models.blocks import GridSample
from runtime.models.interfaces import BevDecoder
from runtime.models.view_transforms.sampling_points import point_codes, point_scale, resampling_points


class BevSegDecoder(BevDecoder):
    """Features, re-sampled on the task's grid, to a class for each of its cells.

    The grid is constant: the same fixed-point sampling points as those of the view transform.

    Args:
        name: see `BevDecoder`.
        use_bce: classes are independent yes/no decisions; must be so in `target`, `loss` and `decoder` too.
        task_weight: see `BevDecoder`.
        bev_size: (half_y, half_x, metres_per_cell) of the features' area.
        task_size: the same of the labels.
        head: list of maps to logits (B, C, h, w); its `input_index` names the map that is re-sampled.
        target: labels (B, h, w) to the loss' targets.
        loss: (logits, targets) to named losses.
        decoder: logits to labels (B, h, w).

    Raises:
        ValueError: one part thinks otherwise about `use_bce`.
    """

    def __init__(
        self,
        *,
        name: str = "bev_seg",
        use_bce: bool = False,
        task_weight: float = 1.0,
        bev_size: Sequence[float],
        task_size: Sequence[float],
        head: nn.Module,
        target: nn.Module,
        loss: nn.Module,
        decoder: nn.Module,
    ) -> None:
        super().__init__(name=name, task_weight=task_weight)
        for part, flag in ((target, "use_bce"), (loss, "use_sigmoid"), (decoder, "use_bce")):
            value = getattr(part, flag, use_bce)
            if value != use_bce:
                raise ValueError(
                    f"{name}: use_bce is {use_bce}, but {flag} of its {type(part).__name__} is {value}"
                )
        self.bev_grid = BevGrid.from_size(bev_size)
        self.task_grid = BevGrid.from_size(task_size)
        self.resample: GridSample | None = None
        self.head = head
        self.target = target
        self.loss = loss
        self.decoder = decoder
        self.input_index = int(getattr(head, "input_index", 0))
        self.points: Tensor | None
        self.register_buffer("points", None, persistent=False)
        self._bind(self.bev_grid.shape)

    def bind_features(self, shapes: Sequence[tuple[int, int]]) -> None:
        """Prepares the constant grid for the map that the head uses."""
        self._bind(shapes[self.input_index])

    def _bind(self, shape: tuple[int, int]) -> None:
        if (*shape, self.bev_grid.half_y, self.bev_grid.half_x) == (
            *self.task_grid.shape,
            self.task_grid.half_y,
            self.task_grid.half_x,
        ):
            self.resample, self.points = None, None
            return
        scale = point_scale(*shape)
        codes = point_codes(resampling_points(self.bev_grid, shape, self.task_grid), *shape, scale)
        self.resample = GridSample(point_scale=scale)
        self.points = torch.from_numpy(codes).float().unsqueeze(0) * scale
        self.bound_shape = shape

    def _logits(self, features: Sequence[Tensor]) -> Tensor:
        """Maps of the BEV encoder to logits (B, C, h, w) on the task's grid."""
        if self.resample is not None and self.points is not None:
            features = list(features)
            x = features[self.input_index]
            if tuple(x.shape[-2:]) != self.bound_shape:
                raise ValueError(
                    f"{self.name}: expected features of {self.bound_shape} cells, got {tuple(x.shape[-2:])}"
                )
            features[self.input_index] = self.resample(x, self.points.expand(x.shape[0], -1, -1, -1))
        return self.head(features)

    def losses(self, features: Sequence[Tensor], batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """Losses against `gt_seg` (B, h, w) of the batch."""
        losses = self.loss(self._logits(features), self.target(batch["gt_seg"]))
        return {f"{self.name}/{key}": value * self.task_weight for key, value in losses.items()}

    def raw_outputs(self, features: Sequence[Tensor]) -> dict[str, Tensor]:
        """Logits (B, C, h, w) under the decoder's name."""
        return {self.name: self._logits(features)}

    def decode(self, raw: Mapping[str, Tensor]) -> Tensor:
        """Labels (B, h, w) int64."""
        return self.decoder(raw[self.name])
