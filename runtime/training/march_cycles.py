"""Cycles of a quantised model's operations on a march: its modules as the hardware model describes them."""

from __future__ import annotations

from dataclasses import replace

from runtime.bpu import operation as bpu
from runtime.bpu.march_data import March
from runtime.bpu.operation_cost import operation_cycles
from runtime.errors import RunError
from runtime.quantization.analysis.network_work import CycleModel, widths
from runtime.quantization.graph import Operation, QuantizedGraph
from runtime.quantization.modules.add import QuantizedAdd
from runtime.quantization.modules.avg_pool import QuantizedAvgPool
from runtime.quantization.modules.base import QuantizedModule
from runtime.quantization.modules.conv import QuantizedConv
from runtime.quantization.modules.resize import QuantizedResize

Pair = tuple[int, int]


def march_cycles(march: March, graph: QuantizedGraph) -> CycleModel:
    """A `CycleModel` of the operations of `graph`, whose model has been in the state QUANTISE.

    The images arrive as codes, and a sum that takes an accumulator is a part of the convolution: both are
    nothing of their own. What moves codes, such as max pooling and slices, is not in the graph.
    """
    sums = {
        module.accumulating.name
        for module in graph.modules.values()
        if isinstance(module, QuantizedAdd) and module.accumulating is not None
    }

    def cycles(operation: Operation, in_bits: int, out_bits: int) -> float:
        module = graph.modules[operation.name]
        if operation.op == "input" or (isinstance(module, QuantizedAdd) and module.accumulating is not None):
            return 0.0
        described = _described(operation, module, in_bits, out_bits)
        if operation.name in sums:
            described = replace(described, in_shapes=(*described.in_shapes, operation.output_shape))
        if any(graph.modules[name].op == "input" for name in operation.inputs):
            described = replace(described, reads_ddr=True)
        return operation_cycles(march, described).cycles

    return cycles


def march_refuses(march: March, graph: QuantizedGraph) -> str | None:
    """Why a march cannot run a model as it is quantised; None when it can."""
    cycles = march_cycles(march, graph)
    for operation in graph.operations:
        module = graph.modules[operation.name]
        try:
            if not module.keep_float:
                cycles(operation, *widths(module))
        except RunError as error:
            return f"`{operation.name}`: {error.message}"
    return None


def _described(operation: Operation, module: QuantizedModule, in_bits: int, out_bits: int) -> bpu.Operation:
    kernel, stride, dilation, padding, groups = (1, 1), (1, 1), (1, 1), (0, 0), 1
    if isinstance(module, QuantizedConv):
        layer = module.layer
        kernel, stride, dilation = _pair(layer.kernel_size), _pair(layer.stride), _pair(layer.dilation)
        assert not isinstance(layer.padding, str)
        padding, groups = _pair(layer.padding), layer.groups
    elif isinstance(module, QuantizedAvgPool):
        kernel, stride = module.window, module.stride
    nearest = isinstance(module, QuantizedResize) and module.resize.mode == "nearest"
    return bpu.Operation(
        op=operation.op,
        in_shapes=operation.input_shapes,
        out_shape=operation.output_shape,
        kernel=kernel,
        stride=stride,
        dilation=dilation,
        padding=padding,
        groups=groups,
        taps=1 if nearest else 4,
        in_bits=in_bits,
        out_bits=out_bits,
        writes_ddr=module.is_output,
        name=operation.name,
    )


def _pair(values: tuple[int, ...]) -> Pair:
    return values[0], values[1]
