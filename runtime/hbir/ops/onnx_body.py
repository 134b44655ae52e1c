"""Builds the body of an ONNX function from standard operations.

Everything is computed in floating point on integers: float32 up to the accumulator, where sums stay below
2^24, float64 for the rounding, as `arithmetic.weighted_sum` explains. onnxruntime's integer kernels are not
used: those for int8 saturate on CPUs without VNNI.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import AttributeProto, FunctionProto, NodeProto, TensorProto, helper, numpy_helper

from runtime.quantization.arithmetic.rescale import MAX_SHIFT

DOMAIN = "specgen.hbir"
OPSET = 17
FLOAT, DOUBLE, INT64 = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64
_POWERS = np.exp2(-np.arange(MAX_SHIFT + 1, dtype=np.float64))


class Reference:
    """The value of an attribute that the caller of the function gives.

    Args:
        name: of the attribute.
        type: an attribute type of ONNX.
    """

    def __init__(self, name: str, type: AttributeProto.AttributeType = AttributeProto.INT) -> None:
        self.name = name
        self.type = type


def listed(name: str) -> Reference:
    """An attribute that is a list of integers."""
    return Reference(name, AttributeProto.INTS)


class Body:
    """A function under construction: methods add nodes and return the names of their results.

    Args:
        inputs: names of the function's inputs.
    """

    def __init__(self, *inputs: str) -> None:
        self.inputs = inputs
        self.nodes: list[NodeProto] = []
        self.references: set[str] = set()
        self.result = ""
        self._count = 0

    def op(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """One node; its result, or a tuple where there are several."""
        names = [f"v{self._count + index}" for index in range(outputs)]
        self._count += outputs
        plain = {key: value for key, value in attributes.items() if not isinstance(value, Reference)}
        node = helper.make_node(kind, list(inputs), names, **plain)
        for key, value in attributes.items():
            if isinstance(value, Reference):
                node.attribute.append(AttributeProto(name=key, ref_attr_name=value.name, type=value.type))
                self.references.add(value.name)
        self.nodes.append(node)
        return names[0] if outputs == 1 else tuple(names)

    def constant(self, values: Any, dtype: Any) -> str:
        """A constant array."""
        array: NDArray[Any] = np.asarray(values, dtype=dtype)
        return self.op("Constant", value=numpy_helper.from_array(array))

    def number(self, value: float) -> str:
        """A constant float64."""
        return self.constant(value, np.float64)

    def attribute(self, name: str, to: int = DOUBLE) -> str:
        """The value of an attribute that is one number."""
        return self.cast(self.op("Constant", value_int=Reference(name)), to)

    def attributes(self, name: str) -> str:
        """The values of an attribute that is a list, int64."""
        return self.op("Constant", value_ints=listed(name))

    def cast(self, x: str, to: int | Reference) -> str:
        """`x` in another type."""
        return self.op("Cast", x, to=to)

    def power(self, shift: str) -> str:
        """2^-shift of an integer or integers, float64: from a table, which no library rounds."""
        table = self.constant(_POWERS, np.float64)
        return self.op("Gather", table, self.cast(shift, INT64), axis=0)

    def factor(self) -> str:
        """m * 2^-k of the attributes `multiplier` and `shift`, float64."""
        power = self.power(self.op("Constant", value_int=Reference("shift")))
        return self.op("Mul", self.attribute("multiplier"), power)

    def per_channel(self, x: str) -> str:
        """(C,) as float64 (C, 1, 1)."""
        return self.op("Unsqueeze", self.cast(x, DOUBLE), self.constant([1, 2], np.int64))

    def reshape(self, x: str, *parts: str | Sequence[int]) -> str:
        """`x` in a shape made of names of int64 vectors and of numbers."""
        names = [part if isinstance(part, str) else self.constant(part, np.int64) for part in parts]
        shape = names[0] if len(names) == 1 else self.op("Concat", *names, axis=0)
        return self.op("Reshape", x, shape)

    def size(self, x: str, start: int, end: int) -> str:
        """Some axes of the shape of `x`."""
        return self.op("Shape", x, start=start, end=end)

    def digits(self, x: str, count: int, width: int) -> list[str]:
        """Float32 digits of float32 codes, lowest first, see `arithmetic.digits`."""
        parts = []
        for _ in range(count - 1):
            above = self.op("Floor", self.op("Mul", x, self.constant(2.0**-width, np.float32)))
            parts.append(self.op("Sub", x, self.op("Mul", above, self.constant(2.0**width, np.float32))))
            x = above
        return [*parts, x]

    def joined(self, parts: Sequence[str], width: int) -> str:
        """The float64 number whose float32 digits `parts` are, lowest first."""
        total = self.cast(parts[0], DOUBLE)
        for place, part in enumerate(parts[1:], start=1):
            scaled = self.op("Mul", self.cast(part, DOUBLE), self.number(2.0 ** (width * place)))
            total = self.op("Add", total, scaled)
        return total

    def finish(self, total: str) -> None:
        """End with the codes `clamp(floor(total + 1/2), lo, hi)` of a float64 `total`."""
        rounded = self.op("Floor", self.op("Add", total, self.number(0.5)))
        clipped = self.op("Clip", rounded, self.attribute("lo"), self.attribute("hi"))
        self.result = self.cast(clipped, Reference("to"))

    def function(self, name: str, doc: str, attributes: Sequence[str]) -> FunctionProto:
        """The function; its only output is called `y`.

        Args:
            attributes: all that its callers give.
        """
        assert self.references <= set(attributes), (self.references, attributes)
        self.nodes.append(helper.make_node("Identity", [self.result], ["y"]))
        function = helper.make_function(
            DOMAIN,
            name,
            list(self.inputs),
            ["y"],
            self.nodes,
            [helper.make_opsetid("", OPSET)],
            list(attributes),
        )
        function.doc_string = doc
        return function
