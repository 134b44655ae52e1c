"""Inverse perspective mapping: every BEV cell samples the image features where its ground is seen."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from runtime.geometry.bev_grid import BevGrid
from runtime.models.blocks import GridSample, Resize, ViewSum
from runtime.models.view_transforms.sampling_points import ground_points, point_codes

_CACHED_RIGS = 16


class WrappingTransformer(nn.Module):
    """Features of V views, sampled bilinearly at the ground of each BEV cell and summed over the views.

    Mallot et al., "Inverse perspective mapping simplifies optical flow computation and obstacle detection",
    1991.

    Args:
        bev_upscale: bilinear enlargement of the result, so that the encoder's first stride-2 map is at BEV
            resolution.
        bev_size: (half_y, half_x, metres_per_cell) of the BEV grid.
        num_views: V.
        drop_prob: probability with which training leaves a whole view out; one always stays.
        grid_quant_scale: feature pixels a code of the int16 sampling points; a power of two.
        in_stride: image pixels a feature pixel.

    Raises:
        ValueError: `drop_prob` outside [0, 1), a scale that is no power of two, `bev_upscale` below 1.
    """

    def __init__(
        self,
        *,
        bev_upscale: int = 2,
        bev_size: Sequence[float],
        num_views: int = 6,
        drop_prob: float = 0.0,
        grid_quant_scale: float,
        in_stride: int,
    ) -> None:
        super().__init__()
        if not 0.0 <= drop_prob < 1.0:
            raise ValueError(f"drop_prob is {drop_prob}, expected a probability below 1")
        if grid_quant_scale <= 0 or math.frexp(grid_quant_scale)[0] != 0.5:
            raise ValueError(f"grid_quant_scale is {grid_quant_scale}, expected a power of two")
        if bev_upscale < 1:
            raise ValueError(f"bev_upscale is {bev_upscale}, expected at least 1")
        self.grid = BevGrid.from_size(bev_size)
        self.bev_upscale = bev_upscale
        self.num_views = num_views
        self.drop_prob = drop_prob
        self.grid_quant_scale = grid_quant_scale
        self.in_stride = in_stride
        self.grid_sample = GridSample(point_scale=grid_quant_scale)
        self.view_sum = ViewSum(num_views=num_views)
        self.upscale = Resize(mode="bilinear")
        self._cache: OrderedDict[tuple[bytes, int, int], NDArray[np.int16]] = OrderedDict()

    @property
    def out_shape(self) -> tuple[int, int]:
        """(H, W) of the result: the BEV grid times `bev_upscale`."""
        height, width = self.grid.shape
        return height * self.bev_upscale, width * self.bev_upscale

    def feature_shape(self, image_size: tuple[int, int]) -> tuple[int, int]:
        """(h, w) of the features of an image (height, width) in pixels."""
        return math.ceil(image_size[0] / self.in_stride), math.ceil(image_size[1] / self.in_stride)

    def point_codes(self, ego2img: Tensor, *, image_size: tuple[int, int]) -> NDArray[np.int16]:
        """Sampling points of rigs as the integers that a chip is given: int16 (B * V, H, W, 2).

        Computed on the host in float64, once for each rig while it is among the last few seen.

        Args:
            ego2img: (B, V, 4, 4), ego metres to pixels of the image that the network sees.
            image_size: (height, width) of that image.

        Raises:
            ValueError: not V views, or a feature map that `grid_quant_scale` cannot address.
        """
        rigs = ego2img.detach().to("cpu", torch.float64).numpy()
        if rigs.ndim != 4 or rigs.shape[1:] != (self.num_views, 4, 4):
            raise ValueError(f"ego2img is {rigs.shape}, expected (B, {self.num_views}, 4, 4)")
        height, width = self.feature_shape(image_size)
        keys = [(rig.tobytes(), height, width) for rig in rigs]
        found = {key: self._cache[key] for key in keys if key in self._cache}
        missing = {key: rig for key, rig in zip(keys, rigs, strict=True) if key not in found}
        if missing:
            points = ground_points(np.concatenate(list(missing.values())), self.grid, stride=self.in_stride)
            codes = point_codes(points, height, width, self.grid_quant_scale)
            found.update(
                zip(missing, codes.reshape(len(missing), self.num_views, *codes.shape[1:]), strict=True)
            )
        for key in keys:
            self._cache[key] = found[key]
            self._cache.move_to_end(key)
        while len(self._cache) > _CACHED_RIGS:
            self._cache.popitem(last=False)
        return np.concatenate([found[key] for key in keys])

    def points(
        self, ego2img: Tensor, *, image_size: tuple[int, int], device: torch.device | None = None
    ) -> Tensor:
        """Sampling points of rigs, in feature pixels: float32 (B * V, H, W, 2), multiples of the step.

        Arguments and errors as in `point_codes`; `device` is where the result is wanted.
        """
        codes = torch.from_numpy(self.point_codes(ego2img, image_size=image_size))
        return codes.to(device).to(torch.float32) * self.grid_quant_scale

    def forward(self, features: Tensor, points: Tensor) -> Tensor:
        """Image features (B * V, C, h, w) and points (B * V, H, W, 2) to (B, C, H * up, W * up)."""
        if self.training and self.drop_prob > 0:
            keep = self._draw_views(features.shape[0] // self.num_views, features.device)
            # A point well outside samples 0 and passes no gradient: the view is not there. (At -1, where the
            # weight is 0 too, float rounding could leave a trace of it.)
            points = torch.where(keep.view(-1, 1, 1, 1), points, -2.0)
        bev = self.view_sum(self.grid_sample(features, points))
        return self.upscale(bev, self.out_shape)

    def _draw_views(self, samples: int, device: torch.device) -> Tensor:
        """(samples * V,) bool, true for the views that stay; at least one of each sample."""
        draw = torch.rand(samples, self.num_views, device=device)
        keep = draw >= self.drop_prob
        # The highest draw is the first that would stay at any lower drop_prob.
        keep |= draw == draw.amax(dim=1, keepdim=True)
        return keep.flatten()

    def extra_repr(self) -> str:
        return (
            f"grid={self.grid.shape}, num_views={self.num_views}, bev_upscale={self.bev_upscale}, "
            f"drop_prob={self.drop_prob}, in_stride={self.in_stride}, "
            f"grid_quant_scale={self.grid_quant_scale}"
        )
