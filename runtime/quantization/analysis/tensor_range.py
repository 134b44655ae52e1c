"""The values of one tensor beside what its codes can hold."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from runtime.quantization.analysis.capture import sample
from runtime.quantization.arithmetic.rescale import code_range
from runtime.quantization.fake_quant import FakeQuant

# Bins of half an octave: bin i holds magnitudes from 2^(i/2 - 8) to 2^((i + 1)/2 - 8) scales.
BINS_PER_OCTAVE = 2
LOWEST_OCTAVE = -8
HIGHEST_OCTAVE = 24
NUM_BINS = (HIGHEST_OCTAVE - LOWEST_OCTAVE) * BINS_PER_OCTAVE


@dataclass(frozen=True)
class TensorRange:
    """What was seen of a tensor, and what its codes made of it.

    Args:
        name: of the tensor.
        op: of the module that has its quantiser; `points` for sampling points.
        bits: of a code.
        scale: value of one code.
        clip: largest value that a code stands for.
        low: smallest value of the float model, in calibration where its observer is at hand.
        high: largest value.
        saturated: share of the float model's values that are cut off: more than half a code out of reach.
        code_low: smallest code in fixed point.
        code_high: largest code.
        unused: share of the range that no code reached: 1 - max(code_high / highest, code_low / lowest).
        zeros: share of values that are exactly zero.
        histogram: values in each bin of magnitude; bin i starts at 2^((first_bin + i) / 2) scales. Empty bins
            at both ends are left out; values beyond the bins are in the outermost ones.
        first_bin: see `histogram`.
    """

    name: str
    op: str
    bits: int
    scale: float
    clip: float
    low: float
    high: float
    saturated: float
    code_low: int
    code_high: int
    unused: float
    zeros: float
    histogram: tuple[int, ...]
    first_bin: int


class RangeCount:
    """Counts what makes a `TensorRange`, batch by batch.

    Args:
        quant: of the tensor.
        op: see `TensorRange`.
    """

    def __init__(self, quant: FakeQuant, op: str) -> None:
        self.quant = quant
        self.op = op
        self.scale = quant.value()
        self._low, self._high = math.inf, -math.inf
        self._code_low = self._code_high = 0
        self._values = self._saturated = 0
        self._sampled = self._zeros = 0
        self._bins = torch.zeros(NUM_BINS, dtype=torch.int64)

    def add_real(self, x: Tensor) -> None:
        """Take in values of the float model; the histogram is of a `sample`."""
        low, high = (float(bound) for bound in torch.aminmax(x))
        self._low, self._high = min(self._low, low), max(self._high, high)
        least, most = (
            (bound + side) * self.scale for bound, side in zip(self._bounds, (-0.5, 0.5), strict=True)
        )
        self._values += x.numel()
        if low < least or high > most:
            self._saturated += int(torch.count_nonzero((x < least) | (x > most)))
        values = sample(x)
        nonzero = values[values != 0].abs().double() / self.scale
        self._sampled += len(values)
        self._zeros += len(values) - len(nonzero)
        bins = ((nonzero.log2() - LOWEST_OCTAVE) * BINS_PER_OCTAVE).floor().clamp_(0, NUM_BINS - 1)
        self._bins += torch.bincount(bins.long(), minlength=NUM_BINS).cpu()

    def add_codes(self, codes: Tensor) -> None:
        """Take in codes of fixed point."""
        low, high = torch.aminmax(codes)
        self._code_low, self._code_high = min(self._code_low, int(low)), max(self._code_high, int(high))

    def range(self) -> TensorRange:
        """Of all that was added."""
        lowest, highest = self._bounds
        low, high = self._low, self._high
        observer = self.quant.observer
        if observer is not None and observer.count:
            low, high = min(low, observer.low), max(high, observer.high)
        filled = self._bins.nonzero().flatten().tolist()
        first, last = (filled[0], filled[-1]) if filled else (0, -1)
        return TensorRange(
            name=self.quant.name,
            op=self.op,
            bits=self.quant.bits,
            scale=self.scale,
            clip=highest * self.scale,
            low=low,
            high=high,
            saturated=self._saturated / max(self._values, 1),
            code_low=self._code_low,
            code_high=self._code_high,
            unused=1.0 - max(self._code_high / highest, self._code_low / lowest),
            zeros=self._zeros / max(self._sampled, 1),
            histogram=tuple(self._bins[first : last + 1].tolist()),
            first_bin=first + LOWEST_OCTAVE * BINS_PER_OCTAVE,
        )

    @property
    def _bounds(self) -> tuple[int, int]:
        return code_range(self.quant.bits)
