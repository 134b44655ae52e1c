"""Sums of two that take a convolution's accumulator: one rounding where there were two."""

from __future__ import annotations

from runtime.quantization.graph import Operation, QuantizedGraph
from runtime.quantization.modules.add import QuantizedAdd
from runtime.quantization.modules.conv import WeightedModule


def fuse_adds(graph: QuantizedGraph) -> None:
    """Fuse each sum of two maps with the last convolution before it that only it reads.

    A convolution with an activation, kept in float, or in a result of its own is rounded by itself.
    """
    order = {operation.name: index for index, operation in enumerate(graph.operations)}
    for operation in graph.operations:
        module = graph.modules[operation.name]
        if not isinstance(module, QuantizedAdd) or module.keep_float or len(operation.inputs) != 2:
            continue
        candidates = [
            (order[name], position)
            for position, name in enumerate(operation.inputs)
            if operation.direct[position] and _is_free(name, graph, operation)
        ]
        if candidates:
            # The later one: what it is added to exists by then.
            _, position = max(candidates)
            conv = graph.modules[operation.inputs[position]]
            assert isinstance(conv, WeightedModule)
            module.take_accumulator(position, conv)


def _is_free(name: str, graph: QuantizedGraph, add: Operation) -> bool:
    module = graph.modules[name]
    return (
        isinstance(module, WeightedModule)
        and module.op == "conv"
        and module.act is None
        and not module.keep_float
        and graph.consumers(name) == [add]
        and list(add.inputs).count(name) == 1
        and name not in graph.outputs.values()
    )
