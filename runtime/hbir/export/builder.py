"""Collects nodes and tensors of a graph that is being made, and gives them their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from runtime.hbir.graph import Attribute, Graph, Node
from runtime.hbir.ops import OPERATIONS
from runtime.hbir.tensor_type import Constant, DType, TensorType


class Builder:
    """A graph under construction."""

    def __init__(self) -> None:
        self.inputs: list[TensorType] = []
        self.nodes: list[Node] = []
        self.tensors: dict[str, TensorType] = {}
        self._node_names: set[str] = set()

    def add_input(self, tensor: TensorType) -> str:
        """One more input of the network; its name."""
        self.inputs.append(tensor)
        self.tensors[tensor.name] = tensor
        return tensor.name

    def add(
        self,
        op: str,
        name: str,
        inputs: Sequence[str],
        attributes: Mapping[str, Attribute],
        constants: Mapping[str, Constant] | None = None,
        *,
        output: str | None = None,
        dtype: DType | None = None,
        scale: tuple[float, ...] | None = None,
    ) -> str:
        """One more node; the name of what it makes.

        Args:
            output: the tensor's name, where it is not the node's.
            dtype: of the result; None: that of the first input.
            scale: of the result; None: that of the first input.
        """
        types = [self.tensors[tensor] for tensor in inputs]
        name = _unused(name, self._node_names)
        made = _unused(output or name, self.tensors)
        node = Node(name, op, tuple(inputs), made, dict(attributes), dict(constants or {}))
        self._node_names.add(name)
        self.nodes.append(node)
        self.tensors[made] = TensorType(
            made, dtype or types[0].dtype, OPERATIONS[op].output(node, types), scale or types[0].scale
        )
        return made

    def graph(self, outputs: Mapping[str, str]) -> Graph:
        """The graph; each result takes the name under which it leaves the network.

        Args:
            outputs: tensors by the name of the result.
        """
        names = {tensor: result for result, tensor in outputs.items()}
        nodes = [
            replace(
                node,
                inputs=tuple(names.get(tensor, tensor) for tensor in node.inputs),
                output=names.get(node.output, node.output),
            )
            for node in self.nodes
        ]
        tensors = [
            replace(self.tensors[node.output], name=names.get(node.output, node.output))
            for node in self.nodes
        ]
        return Graph(tuple(self.inputs), tuple(nodes), tuple(tensors), tuple(outputs))


def _unused(name: str, taken: Mapping[str, object] | set[str]) -> str:
    candidate, count = name, 1
    while candidate in taken:
        count += 1
        candidate = f"{name}.{count}"
    return candidate
