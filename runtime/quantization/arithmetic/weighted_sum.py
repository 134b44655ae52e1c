"""The one rounding of the arithmetic: `y = clamp(floor(sum_i x_i * f_i + offset), lo, hi)`.

A factor is `f = m * 2^-k` and the offset `bias * f + 1/2`, so this is `(acc * m + bias * m + 2^(k-1)) >> k`.
It is computed in float64, where nothing is lost: times 2^k every product and every sum is an integer below
2^52, and powers of two are exact.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

Term = tuple[Tensor, Tensor | float]

# Values worked on at once: a float64 buffer of 1 MiB a thread stays in the cache, where all passes together
# cost about as much as one over memory; below 2^15 values the calls themselves are what takes the time.
_CHUNK = 2**17
# Channels are repeated to about this many values, for an inner loop that is worth vectorising.
_PERIOD = 512


def fits_float32(bound: int, k: int) -> bool:
    """Whether float32 computes a sum exactly: sum_i |q_i * m_i| is at most `bound`, the shift is k."""
    return bound + 2 ** (k - 1) < 2**24


def weighted_sum(
    terms: Sequence[Term],
    offset: Tensor | float,
    *,
    lo: int,
    hi: int,
    out: Tensor | None = None,
    single: bool = False,
) -> Tensor:
    """Codes `clamp(floor(sum_i x_i * f_i + offset), lo, hi)` as float32, rounded down once.

    Args:
        terms: (x, factor) each: x (B, C, H, W) of integers, float32 or float64, all of one shape; factor
            float64, () or (C, 1, 1), or a Python float.
        offset: like a factor.
        out: float32 tensor of x's shape that may be overwritten, also one of the x.
        single: compute in float32, see `fits_float32`; factors then are Python floats.
    """
    dtype = torch.float32 if single else torch.float64
    if torch.compiler.is_compiling() or not _worth_chunks(terms[0][0]):
        return _whole(terms, offset, lo, hi, dtype)
    return _in_chunks(terms, offset, lo, hi, out, dtype)


def _worth_chunks(x: Tensor) -> bool:
    return x.device.type == "cpu" and x.numel() > _PERIOD


def _whole(terms: Sequence[Term], offset: Tensor | float, lo: int, hi: int, dtype: torch.dtype) -> Tensor:
    total = terms[0][0].to(dtype) * terms[0][1]
    for x, factor in terms[1:]:
        total = total + x.to(dtype) * factor
    return (total + offset).floor().float().clamp(lo, hi)


def _in_chunks(
    terms: Sequence[Term],
    offset: Tensor | float,
    lo: int,
    hi: int,
    out: Tensor | None,
    dtype: torch.dtype,
) -> Tensor:
    first = terms[0][0]
    layout = torch.contiguous_format
    if first.dim() == 4 and first.is_contiguous(memory_format=torch.channels_last):
        layout = torch.channels_last
    if out is None or out.dtype != torch.float32 or not out.is_contiguous(memory_format=layout):
        out = torch.empty(first.shape, dtype=torch.float32, memory_format=layout)
    sources = [_in_memory_order(x.contiguous(memory_format=layout), layout) for x, _ in terms]
    target = _in_memory_order(out, layout)
    weights = [factor for _, factor in terms] + [offset]
    if all(_is_scalar(weight) for weight in weights):
        _scalar_chunks(sources, [float(weight) for weight in weights], lo, hi, target, dtype)
    elif layout == torch.channels_last:
        channels = [_channels(weight, first.shape[1]) for weight in weights]
        _row_chunks(sources, channels, lo, hi, target)
    else:
        planes = first.shape[:-2].numel()
        channels = [
            _channels(weight, first.shape[-3]).repeat(planes // first.shape[-3]) for weight in weights
        ]
        _plane_chunks(sources, channels, lo, hi, target)
    return out


def _in_memory_order(x: Tensor, layout: torch.memory_format) -> Tensor:
    return (x.permute(0, 2, 3, 1) if layout == torch.channels_last else x).view(-1)


def _is_scalar(weight: Tensor | float) -> bool:
    return not isinstance(weight, Tensor) or weight.numel() == 1


def _channels(weight: Tensor | float, count: int) -> Tensor:
    """A factor as one float64 for each channel."""
    return torch.as_tensor(weight, dtype=torch.float64).reshape(-1).expand(count)


def _chunk() -> int:
    return _CHUNK * torch.get_num_threads()


def _round(total: Tensor, lo: int, hi: int, target: Tensor) -> None:
    # float32 keeps the order of values and has `lo` and `hi`: to clamp after the cast moves half the bytes.
    target.copy_(total.floor_()).clamp_(lo, hi)


def _scalar_chunks(
    sources: list[Tensor], weights: list[float], lo: int, hi: int, target: Tensor, dtype: torch.dtype
) -> None:
    """Chunks of the flat tensors, one factor for all channels."""
    step = min(_chunk(), target.numel())
    buffers = torch.empty(2, step, dtype=dtype)
    constant = torch.tensor(weights[-1], dtype=dtype)
    for start in range(0, target.numel(), step):
        part = target[start : start + step]
        total, other = buffers[:, : part.numel()]
        total.copy_(sources[0][start : start + step])
        torch.add(constant, total, alpha=weights[0], out=total)
        for x, factor in zip(sources[1:], weights[1:-1], strict=True):
            total.add_(other.copy_(x[start : start + step]), alpha=factor)
        _round(total, lo, hi, part)


def _row_chunks(sources: list[Tensor], weights: list[Tensor], lo: int, hi: int, target: Tensor) -> None:
    """Chunks of flat channels-last tensors: the channels are the innermost values."""
    count = weights[0].numel()
    repeats = max(1, _PERIOD // count)
    repeated = [weight.repeat(repeats) for weight in weights]
    period = count * repeats
    step = min(max(1, _chunk() // period) * period, target.numel())
    buffers = torch.empty(2, step, dtype=torch.float64)
    for start in range(0, target.numel(), step):
        part = target[start : start + step]
        # The last chunk may end within a period, though never within a pixel.
        whole = part.numel() % period == 0
        here = repeated if whole else weights
        rows = buffers[:, : part.numel()].unflatten(1, (-1, period if whole else count))
        total, other = rows
        total.copy_(sources[0][start : start + step].view(total.shape))
        torch.addcmul(here[-1], total, here[0], out=total)
        for x, factor in zip(sources[1:], here[1:-1], strict=True):
            total.addcmul_(other.copy_(x[start : start + step].view(total.shape)), factor)
        _round(total, lo, hi, part.view(total.shape))


def _plane_chunks(sources: list[Tensor], weights: list[Tensor], lo: int, hi: int, target: Tensor) -> None:
    """Chunks of flat channels-first tensors: whole planes, each with one factor."""
    planes = weights[0].numel()
    columns = [weight[:, None] for weight in weights]
    grid = target.view(planes, -1)
    grids = [x.view(planes, -1) for x in sources]
    step = min(max(1, _chunk() // grid.shape[1]), planes)
    buffers = torch.empty(2, step, grid.shape[1], dtype=torch.float64)
    for start in range(0, planes, step):
        here = slice(start, start + step)
        part = grid[here]
        total, other = buffers[:, : len(part)]
        total.copy_(grids[0][here]).mul_(columns[0][here])
        for x, factor in zip(grids[1:], columns[1:-1], strict=True):
            total.add_(other.copy_(x[here]).mul_(factor[here]))
        _round(total.add_(columns[-1][here]), lo, hi, part)
