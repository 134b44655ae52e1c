"""Functions of one variable as tables of codes: `y = table[q + 128]` for int8, interpolated for int16.

int16: 1025 entries at the codes -32768, -32704, ..., 32768. With q + 32768 = 64 i + f,
`y = (table[i] * (64 - f) + table[i + 1] * f + 32) >> 6`. Between two entries the function is taken as
straight, which is off by at most (64 s)^2 / 8 * max|function''| for the input's scale s, besides the rounding
of the entries.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from runtime.quantization.arithmetic.rescale import code_range

Function = Callable[[NDArray[np.float64]], NDArray[np.float64]]

_FRACTION_BITS = 6
_SEGMENT = 2**_FRACTION_BITS
# Values looked up at once: indices of 512 KiB a thread stay in the cache.
_CHUNK = 2**17


def sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 / (1 + e^-x)."""
    # e^-|x| cannot overflow.
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, small) / (1.0 + small)


def silu(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """x / (1 + e^-x), also called swish."""
    return x * sigmoid(x)


def table(
    function: Function, *, in_scale: float, out_scale: float, in_bits: int, out_bits: int, lo: int, hi: int
) -> NDArray[np.int64]:
    """Codes of the function at the input's codes: (256,) for 8 bits, (1025,) for 16.

    Args:
        function: of real numbers.
        in_scale: value of one code of the input.
        out_scale: value of one code of the output.
        in_bits: 8 or 16.
        out_bits: 8 or 16.
        lo: lowest code of the output.
        hi: highest code of the output.

    Raises:
        ValueError: lo or hi are no codes of `out_bits`; the function is not finite somewhere.
    """
    lowest, highest = code_range(out_bits)
    if not lowest <= lo <= hi <= highest:
        raise ValueError(f"bounds {lo} to {hi} are outside {lowest} to {highest}")
    first, last = code_range(in_bits)
    codes = np.arange(first, last + 1) if in_bits == 8 else np.arange(first, last + 2, _SEGMENT)
    values = function(codes * in_scale)
    if not np.isfinite(values).all():
        raise ValueError(f"the function is not finite at {codes[~np.isfinite(values)][0] * in_scale:g}")
    return np.clip(np.floor(values / out_scale + 0.5), lo, hi).astype(np.int64)


def reference(x: NDArray[np.int64], table: NDArray[np.int64], *, bits: int) -> NDArray[np.int64]:
    """Codes of codes of any shape; `bits` of the input."""
    offset = x - code_range(bits)[0]
    if bits == 8:
        return table[offset]
    index, fraction = offset >> _FRACTION_BITS, offset & (_SEGMENT - 1)
    total = table[index] * (_SEGMENT - fraction) + table[index + 1] * fraction
    return (total + _SEGMENT // 2) >> _FRACTION_BITS


def kernel(x: Tensor, table: Tensor, *, bits: int) -> Tensor:
    """The codes of `reference`; the table as float32."""
    find = _entries if bits == 8 else _interpolated
    dense = x.is_contiguous() or (x.dim() == 4 and x.is_contiguous(memory_format=torch.channels_last))
    if torch.compiler.is_compiling() or x.device.type != "cpu" or not dense:
        return find(x.reshape(-1), table).view(x.shape)
    out = torch.empty_like(x)
    source, target = _in_memory_order(x), _in_memory_order(out)
    step = _CHUNK * torch.get_num_threads()
    for start in range(0, len(source), step):
        target[start : start + step] = find(source[start : start + step], table)
    return out


def _in_memory_order(x: Tensor) -> Tensor:
    return x.view(-1) if x.is_contiguous() else x.permute(0, 2, 3, 1).view(-1)


def _entries(x: Tensor, table: Tensor) -> Tensor:
    return table.index_select(0, (x + 128.0).int())


def _interpolated(x: Tensor, table: Tensor) -> Tensor:
    # 2^15 * 2^6: float32 has all of these integers.
    position = (x + 32768.0) * 2.0**-_FRACTION_BITS
    index = position.int()
    fraction = position - index
    low, high = table.index_select(0, index), table.index_select(0, index + 1)
    return ((high - low) * fraction + low + 0.5).floor()
