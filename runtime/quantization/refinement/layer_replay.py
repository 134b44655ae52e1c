"""Looks at what weighted layers read while a converted model runs over fixed batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from runtime.quantization.calibration import set_state
from runtime.quantization.graph import Operation, QuantizedGraph, graph_of
from runtime.quantization.modules.conv import WeightedModule
from runtime.quantization.state import State

Replay = Callable[[], None]
"""Runs the model on the same batches in the same order each time, without gradients or mixed precision."""


def weighted_layers(model: nn.Module) -> list[WeightedModule]:
    """The convolutions and linear layers in fixed point of a converted model, in the order of running."""
    return [
        module
        for module in graph_of(model).ordered_modules()
        if isinstance(module, WeightedModule) and not module.keep_float
    ]


class FloatWeights:
    """Remembers the weights of a model, for what is compared with the float model after they have changed.

    Args:
        model: converted.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._kept = [
            (parameter, parameter.detach().clone())
            for layer in weighted_layers(model)
            for parameter in (layer.layer.weight, layer.bias)
        ]

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """With the remembered weights and the state FLOAT; the weights of before return, FLOAT stays."""
        now = [parameter.detach().clone() for parameter, _ in self._kept]
        set_state(self._model, State.FLOAT)
        with torch.no_grad():
            for parameter, kept in self._kept:
                parameter.copy_(kept)
            try:
                yield
            finally:
                for (parameter, _), value in zip(self._kept, now, strict=True):
                    parameter.copy_(value)


@contextmanager
def watching(
    layers: Sequence[WeightedModule], look: Callable[[WeightedModule, Tensor], None]
) -> Iterator[None]:
    """With `look(layer, input)` before each of the layers runs, the input as real numbers."""

    def hook(layer: nn.Module, args: tuple[Any, ...]) -> None:
        assert isinstance(layer, WeightedModule)
        scale = layer.sources[0].value() if layer.state is State.QUANTISE else 1.0
        look(layer, args[0].float() * scale)

    with ExitStack() as stack:
        for layer in layers:
            stack.callback(layer.register_forward_pre_hook(hook).remove)
        yield


@contextmanager
def only_before(graph: QuantizedGraph, layers: Sequence[WeightedModule]) -> Iterator[None]:
    """With a model that computes the inputs of some layers; all else gives zeros of the expected shapes."""
    needed: set[str] = set()
    reached = {layer.name for layer in layers}
    for operation in reversed(graph.operations):
        if operation.name in needed | reached:
            needed.update(operation.inputs)
    skipped = [operation for operation in graph.operations if operation.name not in needed]
    for operation in skipped:
        graph.modules[operation.name].forward = _zeros_of(operation)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for operation in skipped:
            del graph.modules[operation.name].forward


def _zeros_of(operation: Operation) -> Callable[..., Tensor]:
    traced, (samples, *rest) = operation.input_shapes[0][0], operation.output_shape

    def zeros(x: Tensor, *others: Any) -> Tensor:
        return x.new_zeros(()).expand(len(x) * samples // traced, *rest)

    return zeros


def products(layer: WeightedModule, x: Tensor) -> Tensor:
    """What the layer sums up of a real input, without bias and activation: (B, O) or (B, O, H, W).

    In the state QUANTISE with the weights that the integers stand for.
    """
    weight = layer.layer.weight
    if layer.state is State.QUANTISE:
        assert layer.codes is not None
        scale = torch.from_numpy(layer.codes.scale).to(weight)
        weight = layer.weight_codes * scale.view(-1, *[1] * (layer.weight_codes.ndim - 1))
    parameters = {"weight": weight.reshape_as(layer.layer.weight), "bias": torch.zeros_like(layer.bias)}
    return functional_call(layer.layer, parameters, (x,))
