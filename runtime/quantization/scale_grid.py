"""Scales for chips whose multipliers have few bits: a unit times a power of two, so that ratios are shifts.

What a convolution, a table or the image makes has the unit 1: weights absorb any factor, tables any function.
An average over N pixels has its input's unit over N, since no shift divides by N; operations that rescale by
one ratio pass the unit of their input on. (Power-of-two scales: Jain et al., "Trained Quantization Thresholds
for Accurate and Efficient Fixed-Point Inference of Deep Neural Networks", 2020.)
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

ENOUGH_BITS = 8


def needs_grid(multiplier_bits: int) -> bool:
    """Whether multipliers of so many bits need scales on a grid.

    With 8 bits and more, rounding the ratio of two scales moves no int8 code by more than a half.
    """
    return multiplier_bits < ENOUGH_BITS


def on_grid(scale: float, unit: float) -> float:
    """The `unit * 2^n` nearest to a positive scale, on the scale of logarithms."""
    return math.ldexp(unit, math.frexp(scale / unit * math.sqrt(2))[1] - 1)


def neighbours(scale: float, unit: float) -> tuple[float, float]:
    """The largest `unit * 2^n` up to a positive scale and the smallest from it on."""
    mantissa, exponent = math.frexp(scale / unit)
    return math.ldexp(unit, exponent - 1), math.ldexp(unit, exponent - (mantissa == 0.5))


def step_on_grid(step: Tensor, unit: float) -> Tensor:
    """As `on_grid` for a tensor (); the gradient passes straight through, relative to the step."""
    raw = step.detach().clamp(min=torch.finfo(step.dtype).tiny)
    shifted = raw / unit * math.sqrt(2)
    # Dividing by the mantissa leaves a power of two, exactly.
    power = shifted / torch.frexp(shifted).mantissa / 2
    return step * (power * unit / raw)


def steps_of_few_bits(step: Tensor, unit: Tensor, *, bits: int) -> Tensor:
    """The `unit * m 2^-k`, m of `bits` bits, nearest to each step (O,); gradients as of `step_on_grid`."""
    raw = step.detach().clamp(min=torch.finfo(step.dtype).tiny)
    ratio = raw / unit
    mantissa = torch.frexp(ratio).mantissa
    nearest = torch.floor(mantissa * 2**bits + 0.5) * 2.0**-bits * (ratio / mantissa)
    return step * (nearest * unit / raw)
