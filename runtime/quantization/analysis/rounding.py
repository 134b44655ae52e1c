"""The single roundings of fixed point, each of which can be switched on alone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from runtime.quantization.fake_quant import FakeQuant
from runtime.quantization.graph import QuantizedGraph
from runtime.quantization.modules.base import QuantizedModule
from runtime.quantization.modules.conv import WeightedModule
from runtime.quantization.modules.grid_sample import QuantizedGridSample
from runtime.quantization.state import State

Kind = Literal["activation", "points", "weight"]


@dataclass(frozen=True)
class Rounding:
    """A tensor that fixed point rounds.

    Args:
        name: of the tensor; `<module>.weight` of a weight.
        kind: what it is.
        module: that rounds it.
        quant: its quantiser, None of a weight.
    """

    name: str
    kind: Kind
    module: QuantizedModule
    quant: FakeQuant | None

    @contextlib.contextmanager
    def switched_on(self) -> Iterator[None]:
        """With this rounding in a model that is in the state FLOAT."""
        module, quant = self.module, self.quant
        try:
            if self.kind != "activation":
                module.state = State.SIMULATE
            if quant is not None:
                quant.state = State.SIMULATE
            yield
        finally:
            module.state = State.FLOAT
            if quant is not None:
                quant.state = State.FLOAT


def roundings_of(module: QuantizedModule) -> Iterator[Rounding]:
    """The roundings of one module, those of its inputs and weights first."""
    if isinstance(module, WeightedModule) and not module.keep_float:
        yield Rounding(f"{module.name}.weight", "weight", module, None)
    if isinstance(module, QuantizedGridSample) and not module.keep_float:
        yield Rounding(module.points.name, "points", module, module.points)
    # A result that was computed in float leaves the network as it is.
    if module.quant is not None and not (module.keep_float and module.is_output):
        yield Rounding(module.name, "activation", module, module.quant)


def roundings(graph: QuantizedGraph) -> list[Rounding]:
    """All of a model, in the order in which its operations run."""
    return [rounding for module in graph.ordered_modules() for rounding in roundings_of(module)]


def rounded(quant: FakeQuant, x: Tensor) -> Tensor:
    """Real numbers as codes can hold them, whatever state the quantiser is in."""
    before = quant.state
    quant.state = State.SIMULATE
    try:
        return quant(x)
    finally:
        quant.state = before
