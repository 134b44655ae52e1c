"""A memory: bytes at addresses, and which of them have been written."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from runtime.bpu.program.region import Region

Bytes = NDArray[np.uint8]
Array = NDArray[Any]


class Memory:
    """Bytes, undefined until they are written.

    Args:
        size: in bytes.
        seed: of the garbage that it starts with.
    """

    def __init__(self, size: int, *, seed: int | None = None) -> None:
        self._bytes: Bytes = np.zeros(size, dtype=np.uint8)
        if seed is not None:
            self._bytes[:] = np.frombuffer(np.random.default_rng(seed).bytes(size), dtype=np.uint8)
        self._written: Bytes = np.zeros(size, dtype=np.uint8)

    def fill(self, address: int, content: bytes) -> None:
        """Write plain bytes."""
        stop = address + len(content)
        self._bytes[address:stop] = np.frombuffer(content, dtype=np.uint8)
        self._written[address:stop] = 0xFF

    def read(self, region: Region) -> Array:
        """The values, a view.

        Raises:
            ValueError: some are out of bounds, or have not been written.
        """
        written = array_of(self._written, region)
        undefined = written != -1
        if undefined.any():
            position = np.unravel_index(int(undefined.argmax()), region.shape)
            offset = sum(int(i) * stride for i, stride in zip(position, region.strides, strict=True))
            raise ValueError(
                f"reads {region.memory} at {region.address + offset:#x}, which nothing has written "
                f"({int(undefined.sum())} of {region.values} values)"
            )
        return array_of(self._bytes, region)

    def write(self, region: Region, values: Array) -> None:
        """Write values of the region's shape.

        Raises:
            ValueError: some are out of bounds.
        """
        array_of(self._bytes, region)[...] = values
        array_of(self._written, region)[...] = -1


def array_of(data: Bytes, region: Region) -> Array:
    """A region of some bytes as an array; a view.

    Raises:
        ValueError: it is not within the bytes.
    """
    if not 0 <= region.address <= len(data) - region.span:
        raise ValueError(
            f"{region.memory} at {region.address:#x}, {region.span} bytes, is out of its {len(data)} bytes"
        )
    dtype = np.dtype(region.dtype).newbyteorder("<")
    return np.ndarray(region.shape, dtype, data, region.address, region.strides)
