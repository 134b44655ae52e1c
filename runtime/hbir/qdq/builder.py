"""Builds the QDQ model: real numbers between operators, codes between QuantizeLinear and DequantizeLinear.

Names that a graph has stay; what is made here has a colon in its name, which no name of a graph has.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from runtime.hbir.graph import Graph, Node
from runtime.hbir.ops.operation import CODES
from runtime.hbir.tensor_type import TensorType
from runtime.quantization.arithmetic.rescale import code_range

OPSET = 17
"""The oldest with every operator that int8 needs."""

INT16_OPSET = 21
"""The oldest whose QuantizeLinear knows int16."""


class QdqBuilder:
    """A QDQ model under construction.

    Args:
        graph: a valid one.
        any_batch: for any number of samples, not one.
    """

    def __init__(self, graph: Graph, *, any_batch: bool) -> None:
        self.graph = graph
        self.any_batch = any_batch
        self.nodes: list[NodeProto] = []
        self.initializers: dict[str, TensorProto] = {}
        self.coordinates = coordinate_inputs(graph)
        wide = any(
            tensor.dtype == "int16" and tensor.name not in self.coordinates for tensor in graph.types.values()
        )
        self.opset = INT16_OPSET if wide else OPSET
        self._dequantized: dict[tuple[str, bytes], str] = {}

    def type_of(self, node: Node) -> TensorType:
        """What the node makes."""
        return self.graph.types[node.output]

    def op(self, kind: str, *inputs: str, result: str, name: str | None = None, **attributes: Any) -> str:
        """One operator; returns the name of its result, which is its own as well if it has none."""
        self.nodes.append(helper.make_node(kind, list(inputs), [result], name=name or result, **attributes))
        return result

    def constant(self, name: str, values: Any, dtype: Any) -> str:
        """An array of the file; returns its name."""
        array = np.asarray(values, dtype=dtype)
        self.initializers[name] = numpy_helper.from_array(array, name)
        return name

    def codes(self, tensor: str) -> str:
        """Where the codes of a tensor are."""
        return f"{tensor}:codes"

    def quantize(self, real: str, tensor: TensorType) -> None:
        """Make the codes of a tensor of real numbers: rounded half to even, saturated."""
        scale = self.constant(f"{tensor.name}:scale", tensor.scale[0], np.float32)
        zero = self.constant(f":zero_{tensor.dtype}", 0, tensor.dtype)
        self.op(
            "QuantizeLinear",
            *(real, scale, zero),
            result=self.codes(tensor.name),
            name=f"{tensor.name}:QuantizeLinear",
        )

    def real(self, node: Node, position: int = 0, scale: float | NDArray[np.float64] | None = None) -> str:
        """An input of a node as real numbers.

        Args:
            node: the reader.
            position: of the input.
            scale: value of one code, or one for each channel, where it is not that of the tensor.
        """
        tensor = self.graph.types[node.inputs[position]]
        return self.dequantized(tensor, f"{node.name}:input{position}", scale)

    def dequantized(
        self, tensor: TensorType, name: str, scale: float | NDArray[np.float64] | None = None
    ) -> str:
        """Codes as real numbers: those that are there, or new ones called `name` if the scale is another."""
        wanted = np.asarray(tensor.scale[0] if scale is None else scale, dtype=np.float32)
        if wanted.ndim and (wanted == wanted[0]).all():
            wanted = wanted[0]
        own = wanted.ndim == 0 and wanted == np.float32(tensor.scale[0])
        key = tensor.name, wanted.tobytes()
        if key not in self._dequantized:
            if own:
                name = tensor.name if tensor.name in self.graph.outputs else f"{tensor.name}:real"
            scales = f"{tensor.name}:scale" if own else self.constant(f"{name}_scale", wanted, np.float32)
            self._dequantized[key] = self._dequantize(tensor, scales, wanted.shape, name)
        return self._dequantized[key]

    def _dequantize(self, tensor: TensorType, scales: str, shape: tuple[int, ...], name: str) -> str:
        zero = self.constant(f":zero_{tensor.dtype}", 0, tensor.dtype)
        attributes: dict[str, Any] = {}
        if shape:
            attributes["axis"] = 1
            zero = self.constant(f"{name}_zero", np.zeros(shape), tensor.dtype)
        return self.op(
            *("DequantizeLinear", self.codes(tensor.name), scales, zero),
            result=name,
            name=f"{name}:DequantizeLinear",
            **attributes,
        )

    def finish(self, node: Node, real: str, *, bounded: bool = True) -> None:
        """End a node with the codes of its result.

        Args:
            node: whose result it is.
            real: the result before it is bounded and rounded.
            bounded: the node has bounds of its own, `lo` and `hi`.
        """
        made = self.type_of(node)
        lowest, highest = code_range(made.bits)
        lo, hi = (node.integer("lo"), node.integer("hi")) if bounded else (lowest, highest)
        if (lo, hi) == (0, highest):
            real = self.op("Relu", real, result=f"{made.name}:bounded")
        elif (lo, hi) != (lowest, highest):
            bounds = [
                self.constant(f"{made.name}:{key}", bound * made.scale[0], np.float32)
                for key, bound in (("lowest", lo), ("highest", hi))
            ]
            real = self.op("Clip", real, *bounds, result=f"{made.name}:bounded")
        self.quantize(real, made)

    def finish_outputs(self) -> None:
        """Let results that are codes leave as real numbers."""
        for name in self.graph.outputs:
            if self.graph.types[name].dtype in CODES:
                self.dequantized(self.graph.types[name], name)


def coordinate_inputs(graph: Graph) -> set[str]:
    """Inputs of the network that are read as sampling points only: they are rounded in floating point."""
    reads: dict[str, set[tuple[str, int]]] = {tensor.name: set() for tensor in graph.inputs}
    for node in graph.nodes:
        for position, name in enumerate(node.inputs):
            if name in reads:
                reads[name].add((node.op, position))
    return {name for name, readers in reads.items() if readers == {("grid_sample", 1)}}
