"""The graph: nodes in the order in which they run, between named tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from runtime.errors import RunError
from runtime.hbir.tensor_type import Constant, TensorType

Attribute = int | tuple[int, ...]


@dataclass(frozen=True)
class Node:
    """One operation.

    Args:
        name: dotted name of the module that it comes from.
        op: a key of `ops.OPERATIONS`.
        inputs: tensors that it reads.
        output: the tensor that it makes.
        attributes: integers, as the operation defines them.
        constants: arrays of integers, as the operation defines them.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    output: str
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    constants: Mapping[str, Constant] = field(default_factory=dict)

    def integer(self, key: str) -> int:
        """An attribute that is one number."""
        value = self.attributes[key]
        assert isinstance(value, int)
        return value

    def integers(self, key: str) -> tuple[int, ...]:
        """An attribute that is a list of numbers."""
        value = self.attributes[key]
        assert isinstance(value, tuple)
        return value

    def pair(self, key: str) -> tuple[int, int]:
        """An attribute for both axes of a map: (y, x)."""
        y, x = self.integers(key)
        return y, x

    def codes(self, key: str) -> NDArray[np.int64]:
        """A constant as int64."""
        return self.constants[key].integers


@dataclass(frozen=True)
class Graph:
    """A network in fixed point.

    Args:
        inputs: what the network is given.
        nodes: each after those whose tensors it reads.
        tensors: what the nodes make, one for each, in their order.
        outputs: names of the tensors that are the network's results.
    """

    inputs: tuple[TensorType, ...]
    nodes: tuple[Node, ...]
    tensors: tuple[TensorType, ...]
    outputs: tuple[str, ...]

    @cached_property
    def types(self) -> Mapping[str, TensorType]:
        """Every tensor by its name."""
        return {tensor.name: tensor for tensor in (*self.inputs, *self.tensors)}

    def input_types(self, node: Node) -> list[TensorType]:
        """The tensors that a node reads."""
        return [self.types[name] for name in node.inputs]

    @cached_property
    def last_use(self) -> Mapping[str, int]:
        """Position of the last node that reads each tensor; results are read after the last node."""
        uses = {name: position for position, node in enumerate(self.nodes) for name in node.inputs}
        return {**uses, **dict.fromkeys(self.outputs, len(self.nodes))}

    def samples(self, sizes: Mapping[str, tuple[int, ...]]) -> int:
        """How many samples tensors of these sizes are.

        Raises:
            RunError: an input is missing or unknown, or has another size than a whole number of samples.
        """
        if set(sizes) != {tensor.name for tensor in self.inputs}:
            expected = ", ".join(f"`{tensor.name}`" for tensor in self.inputs)
            raise RunError(f"the model reads {expected}, it was given {sorted(sizes)}")
        counts = set()
        for tensor in self.inputs:
            size = sizes[tensor.name]
            count, rest = divmod(size[0], tensor.shape[0]) if size else (0, 0)
            if not count or rest or size[1:] != tensor.shape[1:]:
                raise RunError(
                    f"the input `{tensor.name}` is {size}, expected {tensor.shape} for each sample"
                )
            counts.add(count)
        if len(counts) > 1:
            raise RunError(f"the inputs have different numbers of samples: {sorted(counts)}")
        return counts.pop()
