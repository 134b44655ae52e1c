"""A fixed-point graph as it grows, of which only shapes and types mean something: constants are zeros."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

import numpy as np

from runtime.bpu.estimate.float_graph import FloatNode
from runtime.bpu.estimate.map_shape import map_shape
from runtime.bpu.operation import Shape
from runtime.errors import RunError
from runtime.hbir.graph import Attribute, Graph, Node
from runtime.hbir.ops import OPERATIONS
from runtime.hbir.tensor_type import Constant, DType, TensorType
from runtime.hbir.validate import validate

MULTIPLIER, SHIFT = 2**14, 14
"""A rescale that changes nothing."""
_ROUNDED: Mapping[str, Attribute] = {"lo": -128, "hi": 127}


class NoForm(Exception):
    """HBIR has no operation for a node; the message says why."""


class PlaceholderGraph:
    """Nodes of int8 codes, one by one."""

    def __init__(self) -> None:
        self._inputs: list[TensorType] = []
        self._nodes: list[Node] = []
        self._tensors: dict[str, TensorType] = {}
        self._names: dict[str, str] = {}
        self._node_names: set[str] = set()

    def input(self, name: str, shape: Shape, dtype: DType = "int8") -> None:
        """What the network is given."""
        self._inputs.append(self._tensor(name, map_shape(shape), dtype))

    def stand_in(self, name: str, shape: Shape) -> None:
        """A tensor that nothing makes: what reads it can be looked at all the same."""
        self._tensor(name, map_shape(shape), "int8")

    def shape(self, name: str) -> Shape:
        """Of the tensor that holds a value of the float network."""
        return self._type(name).shape

    def reshaped(self, name: str, shape: Shape) -> str:
        """The value in another shape of as many maps: itself where it has that shape.

        Raises:
            NoForm: its values cannot be put into that shape.
        """
        wanted = map_shape(shape)
        if self.shape(name) == wanted:
            return name
        reshaped = f"{name}.reshaped"
        self.append("reshape", [name], reshaped, wanted, {"shape": wanted[1:]}, name=reshaped)
        return reshaped

    def append_node(
        self,
        node: FloatNode,
        op: str,
        attributes: Mapping[str, Attribute] | None = None,
        constants: Mapping[str, Constant] | None = None,
        *,
        dtype: DType = "int8",
    ) -> None:
        """A node of the float network as one operation of its inputs.

        Raises:
            NoForm: see `append`.
        """
        inputs = [self.reshaped(name, shape) for name, shape in zip(node.inputs, node.in_shapes, strict=True)]
        self.append(
            op,
            inputs,
            node.output,
            node.out_shape,
            attributes or {},
            constants,
            name=node.name,
            dtype=dtype,
        )

    def append(
        self,
        op: str,
        inputs: Sequence[str],
        output: str,
        shape: Shape,
        attributes: Mapping[str, Attribute],
        constants: Mapping[str, Constant] | None = None,
        *,
        name: str,
        dtype: DType = "int8",
    ) -> None:
        """A node between values of the float network; bounds and a rescale are added where it has them.

        Raises:
            NoForm: the operation takes no such inputs, or does not make this shape of them.
        """
        operation = OPERATIONS[op]
        usual: dict[str, Any] = {**_ROUNDED, "multiplier": MULTIPLIER, "shift": SHIFT}
        format_of = {} if dtype == "int32" else {key: usual[key] for key in operation.scalars if key in usual}
        node = Node(
            _free(name or output, self._node_names),
            op,
            tuple(self._names[read] for read in inputs),
            _free(output, self._tensors),
            {**format_of, **attributes},
            constants or {},
        )
        try:
            made = operation.output(node, [self._type(read) for read in inputs])
        except RunError as error:
            raise NoForm(error.message.partition("`) ")[2] or error.message) from error
        if made != map_shape(shape):
            raise NoForm(f"`{op}` makes {made} of it, not {map_shape(shape)}")
        self._tensor(output, made, dtype, node.output)
        self._nodes.append(node)
        self._node_names.add(node.name)

    def finish(self, outputs: Sequence[str]) -> Graph:
        """The graph.

        Args:
            outputs: results, as values of the float network.

        Raises:
            RunError: it is not well formed.
        """
        tensors = tuple(self._tensors[node.output] for node in self._nodes)
        results = tuple(dict.fromkeys(self._names[name] for name in outputs))
        return validate(Graph(tuple(self._inputs), tuple(self._nodes), tensors, results))

    def _type(self, name: str) -> TensorType:
        return self._tensors[self._names[name]]

    def _tensor(self, name: str, shape: Shape, dtype: DType, own: str | None = None) -> TensorType:
        own = own or _free(name, self._tensors)
        self._names[name] = own
        scales = shape[1] if dtype == "int32" and len(shape) > 1 else 1
        self._tensors[own] = TensorType(own, dtype, shape, (1.0,) * scales)
        return self._tensors[own]


def _free(name: str, taken: Container[str]) -> str:
    """A name that HBIR takes and that nothing has."""
    plain = "".join(letter if letter.isprintable() and letter != ":" else "." for letter in name) or "value"
    found, count = plain, 1
    while found in taken:
        count += 1
        found = f"{plain}.{count}"
    return found


def zeros(shape: Shape, dtype: DType) -> Constant:
    """A constant of which only the size matters."""
    return Constant.of(np.zeros(shape, dtype=np.int64), dtype)


def weights(shape: Shape, *, is_rounded: bool, is_residual: bool = False) -> dict[str, Constant]:
    """Constants of a layer with weights of that shape, output channels first."""
    channels = shape[0]
    found = {"weight": zeros(shape, "int8"), "bias": zeros((channels,), "int32")}
    if is_rounded:
        found["multiplier"] = Constant.of(np.full(channels, MULTIPLIER), "int16")
        found["shift"] = Constant.of(np.full(channels, SHIFT), "int8")
    if is_residual:
        found["residual_multiplier"] = zeros((channels,), "int64")
    return found
