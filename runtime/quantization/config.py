"""What a spec says of fixed point: default observers, and rules for tensors by name or by kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from runtime.quantization.arithmetic.rescale import MULTIPLIER_BITS
from runtime.quantization.observers import ObserverName

OpName = Literal[
    "input",
    "points",
    "conv",
    "linear",
    "add",
    "concat",
    "resize",
    "grid_sample",
    "view_sum",
    "avg_pool",
    "lookup",
    "multiply",
    "output",
]
"""What makes a tensor: an operation, the images (`input`), sampling points; `output`: a map of the network's
result, whatever makes it."""

Bits = Literal[8, 16, 32]
WeightScaleMethod = Literal["max", "mse"]
ScaleLearning = Literal["lsq", "moving_average", "frozen"]
"""How QAT finds scales: learned (Esser et al., 2020), following the batches, or kept from calibration."""


@dataclass(frozen=True, kw_only=True)
class QuantizationRule:
    """Settings of the tensors that it matches; of several rules the last one that says something counts.

    Args:
        match: shell pattern on dotted tensor names, `*` crosses dots; None: any name.
        op: kind of the tensor; None: any kind.
        bits: of the codes; 32 is for outputs of convolutions and linear layers, which then leave as they
            were summed.
        observer: how the range is found.
        scale: value of one code, fixed.
        keep_float: compute the tensor in float, outside of fixed point.

    Raises:
        ValueError: nothing selected, nothing set, or settings that contradict each other.
    """

    match: str | None = None
    op: OpName | None = None
    bits: Bits | None = None
    observer: ObserverName | None = None
    scale: float | None = None
    keep_float: bool = False

    def __post_init__(self) -> None:
        if self.match is None and self.op is None:
            raise ValueError(f"{self}: a rule needs `match` or `op`")
        settings = (self.bits, self.observer, self.scale)
        if self.keep_float == any(setting is not None for setting in settings):
            raise ValueError(f"{self}: a rule sets bits, observer or scale, or keeps tensors in float")
        if self.observer is not None and self.scale is not None:
            raise ValueError(f"{self}: a fixed scale is not observed")
        if self.scale is not None and not 0 < self.scale < float("inf"):
            raise ValueError(f"{self}: a scale is positive")

    def matches(self, name: str, ops: Sequence[str]) -> bool:
        """Whether the rule is about the tensor `name`, which is of the kinds `ops`."""
        named = self.match is None or fnmatchcase(name, self.match)
        return named and (self.op is None or self.op in ops)

    def __str__(self) -> str:
        parts = {
            "match": self.match,
            "op": self.op,
            "bits": self.bits,
            "observer": self.observer,
            "scale": self.scale,
            "keep_float": self.keep_float or None,
        }
        return "{" + ", ".join(f"{key}: {value}" for key, value in parts.items() if value is not None) + "}"


@dataclass(frozen=True, kw_only=True)
class AdaRound:
    """Rounding of weights learned layer by layer (Nagel et al., "Up or Down?", 2020).

    Args:
        num_steps: optimiser steps a layer.
        lr: their rate.
        weight: of the term that drives each weight to one side.
    """

    num_steps: int = 500
    lr: float = 0.01
    weight: float = 0.01


@dataclass(frozen=True, kw_only=True)
class QuantizationConfig:
    """How a model becomes fixed point.

    Args:
        observer: of every tensor that no rule says otherwise of.
        weight_scale: how the scales of weights are chosen, one an output channel.
        rules: in order.
        equalization: even out channel ranges between neighbouring convolutions before calibration.
        bias_correction: take the mean error that quantisation causes out of the biases, after it.
        adaround: learn the rounding of weights after calibration; None: round to nearest.
        multiplier_bits: significant bits of the multipliers that results are rescaled by, 1 to 15; 1 leaves
            shifts. The chip says how many.

    Raises:
        ValueError: another number of bits.
    """

    observer: ObserverName = "mse"
    weight_scale: WeightScaleMethod = "mse"
    rules: Sequence[QuantizationRule] = ()
    equalization: bool = False
    bias_correction: bool = False
    adaround: AdaRound | None = None
    multiplier_bits: int = MULTIPLIER_BITS

    def __post_init__(self) -> None:
        if not 1 <= self.multiplier_bits <= MULTIPLIER_BITS:
            raise ValueError(f"multipliers of {self.multiplier_bits} bits, expected 1 to {MULTIPLIER_BITS}")
