"""What every operation of the graph says of itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from runtime.errors import RunError
from runtime.hbir.graph import Attribute, Graph, Node
from runtime.hbir.ops.onnx_body import Body
from runtime.hbir.tensor_type import Constant, DType, Shape, TensorType
from runtime.quantization.arithmetic.rescale import MAX_SHIFT

Int64 = NDArray[np.int64]
Types = Sequence[TensorType]
Kernel = Callable[..., Tensor]
CODES: tuple[DType, ...] = ("int8", "int16")
FORMAT = ("lo", "hi")
"""Attributes of all operations that round: lowest and highest code of the result."""

MAX_WINDOW = 2**12
"""Pixels from the first to the last that a window covers."""


@dataclass(frozen=True)
class Call:
    """A node as it stands in an ONNX file: the call of a function.

    Args:
        variant: tells functions of one operation apart; empty for the usual one.
        body: the function.
        constants: arrays that follow from the node and are further inputs of the function.
        attributes: numbers that follow from the node and are further attributes of the function.
    """

    variant: str
    body: Body
    constants: Mapping[str, Constant] = field(default_factory=dict)
    attributes: Mapping[str, Attribute] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """A test vector: a graph of one node, and codes for its inputs by name."""

    graph: Graph
    inputs: Mapping[str, Int64]


class Operation(ABC):
    """One kind of node. The docstring of each is its formula.

    Class attributes:
        name: as in `Node.op`.
        scalars: attributes that are one number.
        lists: attributes that are lists of numbers.
        constants: constants with their possible types; every name here may be missing from a node.
    """

    name: ClassVar[str]
    scalars: ClassVar[tuple[str, ...]] = ()
    lists: ClassVar[tuple[str, ...]] = ()
    constants: ClassVar[Mapping[str, tuple[DType, ...]]] = {}

    @abstractmethod
    def output(self, node: Node, inputs: Types) -> Shape:
        """The shape of the result for one sample.

        Raises:
            RunError: inputs, attributes or constants that do not fit each other.
        """

    @abstractmethod
    def reference(self, node: Node, inputs: Sequence[Int64], types: Types) -> Int64:
        """The result's integers: slow, and the definition."""

    @abstractmethod
    def kernel(self, node: Node, types: Types, device: torch.device) -> Kernel:
        """A function of float32 codes that gives the reference's integers, its constants on `device`."""

    @abstractmethod
    def call(self, node: Node, inputs: Types, output: TensorType) -> Call:
        """The node in standard ONNX operations."""

    @abstractmethod
    def cases(self, rng: np.random.Generator) -> Iterator[Case]:
        """Test vectors: random and extreme codes, int8 and int16, every form of the operation."""

    def macs(self, node: Node, inputs: Types, output: TensorType) -> int:
        """Multiply-accumulates of one sample."""
        return 0

    def makes_accumulators(self, node: Node) -> bool:
        """Whether the result is int32 accumulators, which are not rounded."""
        return False

    def moves(self) -> bool:
        """Whether codes reach the output unchanged, with their scale."""
        return not set(FORMAT) <= set(self.scalars)


def refuse(node: Node, why: str) -> RunError:
    """The error for a node that does not make sense."""
    return RunError(f"the node `{node.name}` (`{node.op}`) {why}")


def need_inputs(node: Node, inputs: Types, count: int, rank: int | None = 4) -> None:
    """Checks number and axes of the inputs.

    Raises:
        RunError: not `count` inputs, or one that has not `rank` axes.
    """
    if len(inputs) != count:
        raise refuse(node, f"reads {len(inputs)} tensors, expected {count}")
    for tensor in inputs:
        if rank is not None and len(tensor.shape) != rank:
            raise refuse(node, f"reads `{tensor.name}` of {tensor.shape}, expected {rank} axes")


def need_rescale(
    node: Node, multipliers: Sequence[int], shifts: Sequence[int], *, sums: bool = False
) -> None:
    """Checks multipliers and shifts.

    Args:
        sums: multipliers of one common shift, of which only the largest has 15 bits.

    Raises:
        RunError: some are outside of the arithmetic.
    """
    lowest = 0 if sums else 2**14
    if any(not lowest <= m < 2**15 for m in multipliers):
        raise refuse(node, f"has multipliers outside of {lowest} to {2**15 - 1}: {list(multipliers)[:5]}")
    if any(not 1 <= k <= MAX_SHIFT for k in shifts):
        raise refuse(node, f"has shifts outside of 1 to {MAX_SHIFT}: {list(shifts)[:5]}")


def code_bounds(node: Node) -> tuple[int, int]:
    """Lowest and highest code of the result."""
    return node.integer("lo"), node.integer("hi")
