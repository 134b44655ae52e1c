"""Product of a map and a gate: `y = clamp((q1 * q2 * m + 2^(k-1)) >> k, lo, hi)`, rounded once."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from runtime.quantization.arithmetic import rescale
from runtime.quantization.arithmetic.weighted_sum import weighted_sum


def reference(
    x: NDArray[np.int64], gate: NDArray[np.int64], m: int, k: int, *, lo: int, hi: int
) -> NDArray[np.int64]:
    """Codes (B, C, H, W) of codes (B, C, H, W) and a gate (B, C, 1, 1), or any that is broadcast."""
    return rescale.reference(x.astype(np.int64) * gate, m, k, lo, hi)


def kernel(x: Tensor, gate: Tensor, m: int, k: int, *, lo: int, hi: int) -> Tensor:
    """The codes of `reference`."""
    factor = m * 2.0**-k
    if torch.compiler.is_compiling() or x.device.type != "cpu" or gate.shape != (*x.shape[:2], 1, 1):
        return weighted_sum([(x.double() * gate.double(), factor)], 0.5, lo=lo, hi=hi)
    out = torch.empty_like(x)
    # The gate of one sample is a factor of each channel, which saves the product of maps.
    for sample, target, factors in zip(x.split(1), out.split(1), gate.double() * factor, strict=True):
        codes = weighted_sum([(sample, factors)], 0.5, lo=lo, hi=hi, out=target)
        if codes is not target:
            target.copy_(codes)
    return out
