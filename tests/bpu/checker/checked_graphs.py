"""Small graphs with known faults, and marches made from a shipped file with known changes."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from runtime.bpu.march import MARCHES, parse_march
from runtime.bpu.march_data import March
from runtime.hbir.graph import Attribute, Graph, Node
from runtime.hbir.ops import OPERATIONS
from runtime.hbir.tensor_type import Constant, DType, Shape, TensorType
from runtime.hbir.validate import validate

ASSUMED = {"provenance": "assumed", "reason": "for a test"}
Document = dict[str, Any]


def march_with(change: Callable[[Document], None], name: str = "bayes") -> March:
    """A shipped march with a change to its file."""
    document = copy.deepcopy(json.loads((MARCHES / f"{name}.json").read_text(encoding="utf-8")))
    change(document)
    return parse_march(document, place="changed.json")


def assumed(value: Any) -> Document:
    """A number or list of a march file."""
    return {"value": value, **ASSUMED}


class Chain:
    """Nodes one after another, each behind the last one unless told what it reads."""

    def __init__(self, shape: Shape, dtype: DType = "int8") -> None:
        self.inputs = [TensorType("x", dtype, shape, (0.5,))]
        self.nodes: list[Node] = []
        self.tensors: list[TensorType] = []

    def add_input(self, name: str, shape: Shape, dtype: DType) -> None:
        self.inputs.append(TensorType(name, dtype, shape, (1 / 256,)))

    def add(
        self,
        name: str,
        op: str,
        attributes: dict[str, Attribute] | None = None,
        constants: dict[str, Constant] | None = None,
        *,
        inputs: Sequence[str] = (),
        dtype: DType | None = None,
    ) -> Chain:
        known = {tensor.name: tensor for tensor in (*self.inputs, *self.tensors)}
        names = tuple(inputs) or ((self.tensors or self.inputs)[-1 if self.tensors else 0].name,)
        types = [known[source] for source in names]
        operation = OPERATIONS[op]
        node = Node(name, op, names, name, dict(attributes or {}), dict(constants or {}))
        shape, made = operation.output(node, types), dtype or types[0].dtype
        scale = types[0].scale if operation.moves() else (0.5,)
        if operation.makes_accumulators(node):
            made, scale = "int32", (0.5,) * shape[1]
        self.nodes.append(node)
        self.tensors.append(TensorType(name, made, shape, scale))
        return self

    def conv(
        self,
        name: str,
        outputs: int,
        *,
        kernel: tuple[int, int] = (1, 1),
        groups: int = 1,
        weight: int | None = None,
        multiplier: int = 2**14,
        dtype: DType = "int8",
        stride: int = 1,
    ) -> Chain:
        """A convolution that keeps the size of its map at stride 1; every layer has weights of its own."""
        channels = (self.tensors or self.inputs)[-1].shape[1] // groups
        rng = np.random.default_rng(len(self.nodes))
        shape = (outputs, channels, *kernel)
        codes = rng.integers(-8, 9, size=shape) if weight is None else np.full(shape, weight)
        constants = {
            "weight": Constant.of(codes, "int8"),
            "bias": Constant.of(np.zeros(outputs), "int32"),
            "multiplier": Constant.of(np.full(outputs, multiplier), "int16"),
            "shift": Constant.of(np.full(outputs, 20), "int8"),
        }
        window: dict[str, Attribute] = {
            "groups": groups,
            "stride": (stride, stride),
            "padding": (kernel[0] // 2, kernel[1] // 2),
            "dilation": (1, 1),
        }
        return self.add(name, "conv", {**window, **bounds(dtype)}, constants, dtype=dtype)

    def graph(self) -> Graph:
        """What the last node makes is the result."""
        return validate(
            Graph(tuple(self.inputs), tuple(self.nodes), tuple(self.tensors), (self.tensors[-1].name,))
        )


def bounds(dtype: DType) -> dict[str, Attribute]:
    info = np.iinfo(dtype)
    return {"lo": int(info.min), "hi": int(info.max)}


def sampled(*, fraction_bits: int, size: tuple[int, int], points: DType = "int16") -> Graph:
    """One map sampled at 4 x 5 points."""
    chain = Chain((1, 16, *size))
    chain.add_input("points", (1, 4, 5, 2), points)
    attributes: dict[str, Attribute] = {
        **bounds("int8"),
        "multiplier": 2**14,
        "shift": 14 + 2 * fraction_bits,
        "fraction_bits": fraction_bits,
    }
    return chain.add("sample", "grid_sample", attributes, inputs=("x", "points")).graph()
