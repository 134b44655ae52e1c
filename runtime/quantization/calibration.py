"""From observed ranges to scales, and from scales to the integers of fixed point."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from runtime.quantization.config import ScaleLearning
from runtime.quantization.graph import find_graph, graph_of
from runtime.quantization.modules.add import QuantizedAdd
from runtime.quantization.modules.conv import WeightedModule
from runtime.quantization.state import State


def set_state(model: nn.Module, state: State) -> None:
    """Put all quantised modules of `model` into a state.

    QUANTISE snaps the scales and computes every integer anew.

    Raises:
        RunError: QUANTISE without scales, or with numbers that do not fit the arithmetic.
    """
    graph = graph_of(model)
    if state is State.QUANTISE:
        for module in graph.ordered_modules():
            if isinstance(module, QuantizedAdd) and not module.keep_float:
                module.limit_shift()
    for module in graph.ordered_modules():
        module.set_state(state)


def state_of(model: nn.Module) -> State:
    """The state that the quantised modules of `model` are in."""
    return next(graph_of(model).ordered_modules()).state


@contextmanager
def quantised(model: nn.Module) -> Iterator[None]:
    """With fixed-point arithmetic in a converted model, whatever its state; a float model stays as it is."""
    if find_graph(model) is None:
        yield
        return
    before = state_of(model)
    try:
        set_state(model, State.QUANTISE)
        yield
    finally:
        set_state(model, before)


def start_observing(model: nn.Module) -> None:
    """Forget what observers saw, and let them look at all tensors from now on."""
    for quant in graph_of(model).quantisers().values():
        quant.start_observing()
    set_state(model, State.OBSERVE)


def finish_observing(model: nn.Module) -> None:
    """Take over the scales of all tensors and choose those of weights; the model then is in QUANTISE.

    Raises:
        RunError: a tensor that no batch reached.
    """
    graph = graph_of(model)
    for quant in graph.quantisers().values():
        quant.take_scale()
    for module in graph.ordered_modules():
        if isinstance(module, WeightedModule) and not module.keep_float:
            module.choose_weight_scale(graph.config.weight_scale)
    set_state(model, State.QUANTISE)


def learn_scales(model: nn.Module, learning: ScaleLearning) -> None:
    """Prepare for QAT: how scales are found while weights learn."""
    graph = graph_of(model)
    for quant in graph.quantisers().values():
        quant.learn(learning)
    for module in graph.ordered_modules():
        if isinstance(module, WeightedModule):
            module.learn(learning)
    set_state(model, State.QUANTISE_AND_OBSERVE)
