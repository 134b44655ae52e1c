"""What ONNX nodes are called with: attributes, and inputs that are small integer constants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

from runtime.errors import RunError

Values = Mapping[str, tuple[int, ...]]

_INTEGERS = (TensorProto.INT64, TensorProto.INT32)


def constant_values(graph: GraphProto) -> dict[str, tuple[int, ...]]:
    """Integer constants of a graph by name: initialisers and `Constant` nodes.

    Raises:
        RunError: a damaged one.
    """
    tensors = [(tensor.name, tensor) for tensor in graph.initializer]
    for node in graph.node:
        if node.op_type == "Constant" and node.output:
            tensors += [(node.output[0], found.t) for found in node.attribute if found.name == "value"]
    values: dict[str, tuple[int, ...]] = {}
    for name, tensor in tensors:
        if tensor.data_type not in _INTEGERS or tensor.data_location == TensorProto.EXTERNAL:
            continue
        try:
            values[name] = tuple(int(value) for value in numpy_helper.to_array(tensor).ravel())
        except (ValueError, TypeError) as error:
            raise RunError(f"the constant `{name}` does not fit its shape: {error}") from error
    return values


class Arguments:
    """Attributes of a node and the values of its inputs, where they are constants.

    Args:
        node: of the graph.
        values: of the graph's constants.
    """

    def __init__(self, node: NodeProto, values: Values) -> None:
        self.op = node.op_type
        self._attributes = {
            attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute
        }
        self._inputs = tuple(node.input)
        self._values = values

    def integer(self, name: str, default: int) -> int:
        return int(self._attributes.get(name, default))

    def integers(self, name: str, default: tuple[int, ...] = ()) -> tuple[int, ...]:
        return tuple(int(value) for value in self._attributes.get(name, default))

    def text(self, name: str, default: str) -> str:
        value: Any = self._attributes.get(name, default)
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)

    def values(self, position: int) -> tuple[int, ...] | None:
        """Of an input that is an integer constant; None for another, or for none."""
        if position >= len(self._inputs):
            return None
        return self._values.get(self._inputs[position])
