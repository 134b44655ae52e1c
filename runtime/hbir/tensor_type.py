"""Tensors of the graph: what flows along its edges, and the constants of its nodes."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

DType = Literal["int8", "int16", "int32", "int64"]
Shape = tuple[int, ...]


def code_type(bits: int) -> DType:
    """The type of codes of so many bits.

    Raises:
        ValueError: neither 8 nor 16.
    """
    if bits == 8:
        return "int8"
    if bits == 16:
        return "int16"
    raise ValueError(f"codes of {bits} bits, expected 8 or 16")


@dataclass(frozen=True)
class TensorType:
    """One edge of the graph.

    Args:
        name: dotted, that of the module that makes it, or the name of the network's input or output.
        dtype: int8 or int16 codes, int32 accumulators.
        shape: for one sample. The first axis counts maps: of n samples there are n times as many.
        scale: value of one code; for accumulators one for each channel (the second axis).
    """

    name: str
    dtype: DType
    shape: Shape
    scale: tuple[float, ...]

    @property
    def bits(self) -> int:
        return np.dtype(self.dtype).itemsize * 8

    @property
    def elements(self) -> int:
        """Values of one sample."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """Of one sample."""
        return self.elements * self.bits // 8


@dataclass(frozen=True)
class Constant:
    """Integers that a node computes with; equal if their values are.

    Args:
        dtype: of the values.
        shape: of the array.
        data: the values, little endian, last axis fastest.
    """

    dtype: DType
    shape: Shape
    data: bytes

    def __post_init__(self) -> None:
        expected = math.prod(self.shape) * np.dtype(self.dtype).itemsize
        if len(self.data) != expected:
            raise ValueError(f"{self.dtype} of {self.shape} are {expected} bytes, got {len(self.data)}")

    @classmethod
    def of(cls, values: Any, dtype: DType) -> Constant:
        """From integers of any type and shape.

        Raises:
            ValueError: a value that `dtype` does not have.
        """
        array = np.asarray(values)
        cast = np.ascontiguousarray(array, dtype=np.dtype(dtype).newbyteorder("<"))
        if not np.array_equal(cast, array):
            raise ValueError(f"values from {array.min()} to {array.max()} do not fit {dtype}")
        return cls(dtype, tuple(array.shape), cast.tobytes())

    @property
    def array(self) -> NDArray[Any]:
        """The values, read only."""
        flat = np.frombuffer(self.data, dtype=np.dtype(self.dtype).newbyteorder("<"))
        native = flat if sys.byteorder == "little" else flat.astype(self.dtype)
        return native.reshape(self.shape)

    @property
    def integers(self) -> NDArray[np.int64]:
        """The values as int64, as the references compute."""
        return self.array.astype(np.int64)
