"""Float and fixed point side by side, on the same batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from runtime.quantization.analysis.capture import real_values, sample, watching
from runtime.quantization.analysis.output_error import OutputErrors, SampleError
from runtime.quantization.analysis.rounding import rounded, roundings
from runtime.quantization.analysis.signal_error import ErrorSums, SignalError
from runtime.quantization.analysis.task import Batch, Task, tokens
from runtime.quantization.analysis.tensor_range import RangeCount, TensorRange
from runtime.quantization.arithmetic import quantize
from runtime.quantization.calibration import set_state, state_of
from runtime.quantization.graph import QuantizedGraph
from runtime.quantization.modules.base import QuantizedModule
from runtime.quantization.modules.conv import WeightedModule
from runtime.quantization.modules.grid_sample import QuantizedGridSample
from runtime.quantization.state import State


@dataclass(frozen=True)
class LayerError:
    """How far the result of an operation, or a weight, is from the float model's.

    Args:
        name: of the operation and its result; `<name>.weight` of a weight.
        op: what computes it; `weight`.
        bits: of its codes; None where it stays an accumulator, which the next sum or the host takes.
        accumulated: with the whole network in fixed point; None for a weight.
        alone: with nothing but its own rounding; None where it is not rounded.
    """

    name: str
    op: str
    bits: int | None
    accumulated: SignalError | None
    alone: SignalError | None


@dataclass(frozen=True)
class Comparison:
    """What a comparison found.

    Args:
        num_samples: compared samples.
        float_loss: mean over the batches of the sum of the losses, of the float model.
        fixed_loss: of the fixed-point model.
        output_sqnr_db: of the results, see `OutputErrors`.
        ranges: of every tensor with codes, in the order of the network.
        layers: every operation and weight, in the order of the network.
        worst_samples: those whose results are off most.
    """

    num_samples: int
    float_loss: float
    fixed_loss: float
    output_sqnr_db: float
    ranges: tuple[TensorRange, ...]
    layers: tuple[LayerError, ...]
    worst_samples: tuple[SampleError, ...]


def compare(task: Task, batches: Sequence[Batch], *, num_worst: int = 10) -> Comparison:
    """Run both models on every batch; the model is left in the state that it was in.

    Raises:
        RunError: the model was never calibrated.
    """
    before = state_of(task.model)
    counts = _Counts(task.graph)
    outputs = OutputErrors()
    float_loss = fixed_loss = 0.0
    try:
        for batch in batches:
            set_state(task.model, State.FLOAT)
            with watching(task.graph, counts.see_float):
                loss, exact = task.run(batch)
            float_loss += loss / len(batches)
            set_state(task.model, State.QUANTISE)
            with watching(task.graph, counts.see_fixed):
                loss, approximate = task.run(batch)
            fixed_loss += loss / len(batches)
            outputs.add(exact, approximate, tokens(batch))
        set_state(task.model, State.QUANTISE)
        layers = tuple(counts.layers())
    finally:
        set_state(task.model, before)
    return Comparison(
        num_samples=sum(len(tokens(batch)) for batch in batches),
        float_loss=float_loss,
        fixed_loss=fixed_loss,
        output_sqnr_db=outputs.sqnr_db(),
        ranges=tuple(count.range() for count in counts.ranges.values()),
        layers=layers,
        worst_samples=outputs.worst(num_worst),
    )


class _Counts:
    """What is counted of every tensor; float values wait for those of fixed point."""

    def __init__(self, graph: QuantizedGraph) -> None:
        self.graph = graph
        self.ranges = {
            rounding.name: RangeCount(
                rounding.quant, "points" if rounding.kind == "points" else rounding.module.op
            )
            for rounding in roundings(graph)
            if rounding.quant is not None
        }
        self._accumulated = {name: ErrorSums() for name in graph.modules}
        self._alone = {name: ErrorSums() for name in graph.modules}
        self._exact: dict[str, Tensor] = {}

    def see_float(self, module: QuantizedModule, inputs: tuple[Any, ...], output: Tensor) -> None:
        self._exact[module.name] = sample(output)
        if module.name in self.ranges:
            assert module.quant is not None
            self.ranges[module.name].add_real(output)
            values = self._exact[module.name]
            self._alone[module.name].add(values, rounded(module.quant, values))
        if isinstance(module, QuantizedGridSample) and module.points.name in self.ranges:
            self.ranges[module.points.name].add_real(inputs[1])

    def see_fixed(self, module: QuantizedModule, inputs: tuple[Any, ...], output: Tensor) -> None:
        exact, actual = self._exact.pop(module.name), sample(real_values(module, output))
        self._accumulated[module.name].add(exact, actual)
        if module.name in self.ranges:
            scale = module.output_scale()
            self.ranges[module.name].add_codes((actual / scale).round() if module.is_output else output)
        if isinstance(module, QuantizedGridSample) and module.points.name in self.ranges:
            low, high = module.points.bounds
            codes = quantize.quantize(inputs[1], module.points.value(), lo=low, hi=high)
            self.ranges[module.points.name].add_codes(codes)

    def layers(self) -> Iterator[LayerError]:
        """In the state QUANTISE."""
        for operation in self.graph.operations:
            module = self.graph.modules[operation.name]
            if isinstance(module, WeightedModule) and module.codes is not None and not module.keep_float:
                sums = ErrorSums()
                sums.add(module.layer.weight.detach(), _weight(module))
                yield LayerError(f"{operation.name}.weight", "weight", 8, None, sums.error())
            is_rounded = operation.name in self.ranges
            yield LayerError(
                name=operation.name,
                op=operation.op,
                bits=module.quant.bits if is_rounded and module.quant is not None else None,
                accumulated=self._accumulated[operation.name].error(),
                alone=self._alone[operation.name].error() if is_rounded else None,
            )


def _weight(module: WeightedModule) -> Tensor:
    """The weights as fixed point has them, codes times scale."""
    codes = module.codes
    assert codes is not None
    real = codes.weight * codes.scale.reshape(-1, *[1] * (codes.weight.ndim - 1))
    weight = module.layer.weight
    return torch.from_numpy(real).to(weight.device).view(weight.shape)
