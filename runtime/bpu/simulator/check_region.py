"""Whether a region lies within its memory, at every turn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import get_args

import numpy as np

from runtime.bpu.program.region import Region
from runtime.hbir.tensor_type import DType
from runtime.hbir.validate import MAX_ELEMENTS

_DTYPES = get_args(DType)
_MAX_AXES = 8


def check_region(region: Region, sizes: Mapping[str, int], turns: int) -> None:
    """Checks a region of a block that runs `turns` times.

    Args:
        sizes: bytes of each memory in which it may lie.

    Raises:
        ValueError: it lies elsewhere, is of no type or shape, is not aligned to its values, or holds a value
            at two places of which one is no place of its own.
    """
    if region.memory not in sizes:
        raise ValueError(f"has a region in `{region.memory}`, expected {' or '.join(sizes)}")
    if region.dtype not in _DTYPES:
        raise ValueError(f"has a region of `{region.dtype}`, expected one of {', '.join(_DTYPES)}")
    if not 1 <= len(region.shape) <= _MAX_AXES or len(region.shape) != len(region.strides):
        raise ValueError(f"has a region of {region.shape} with the strides {region.strides}")
    if min(region.shape) < 1 or math.prod(region.shape) > MAX_ELEMENTS:
        raise ValueError(f"has a region of {region.shape}: at most {MAX_ELEMENTS} values are possible")
    item = np.dtype(region.dtype).itemsize
    if any(number % item for number in (region.address, region.step, *region.strides)):
        raise ValueError(
            f"has {region.dtype} at {region.address:#x} with the strides {region.strides} and the step "
            f"{region.step}, which are no multiples of {item} bytes"
        )
    if _overlaps_itself(region, item):
        raise ValueError(f"has a region of {region.shape} with the strides {region.strides}: values overlap")
    for turn in (0, turns - 1):
        start = region.address + turn * region.step
        if not 0 <= start <= sizes[region.memory] - region.span:
            raise ValueError(
                f"has a region at {start:#x}, {region.span} bytes, of {region.memory}, which has "
                f"{sizes[region.memory]} bytes"
            )


def _overlaps_itself(region: Region, item: int) -> bool:
    """Whether some axis is not beyond all values along the axes inside of it; no such layout is needed."""
    inside = item
    for stride, size in sorted(zip(region.strides, region.shape, strict=True)):
        if size > 1:
            if stride < inside:
                return True
            inside = stride * (size - 1) + inside
    return any(stride < 0 for stride in region.strides)
