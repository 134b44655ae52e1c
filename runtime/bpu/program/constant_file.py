"""The constants of a program as an `.npz` file, which `numpy.load` reads: one array `ddr` of bytes."""

from __future__ import annotations

import struct

from runtime.bpu.program.archive import archive, parts_of

_NAME = "ddr.npy"
_MAGIC = b"\x93NUMPY\x01\x00"
_HEADER = 128
"""Bytes in front of the values."""


def encode_constants(constants: bytes) -> bytes:
    """The file."""
    return archive({_NAME: _header(len(constants)) + constants})


def decode_constants(content: bytes) -> bytes:
    """What `encode_constants` was given.

    Raises:
        ValueError: it did not write this file.
    """
    parts = parts_of(content)
    if list(parts) != [_NAME]:
        raise ValueError(f"arrays {list(parts)[:5]}, expected one, `{_NAME}`")
    array = parts[_NAME]
    if array[:_HEADER] != _header(len(array) - _HEADER):
        raise ValueError(f"`{_NAME}` is no array of bytes")
    return array[_HEADER:]


def _header(size: int) -> bytes:
    """Of a one-dimensional array of bytes, in version 1.0 of numpy's format: padded with spaces."""
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({size},), }}".encode()
    length = _HEADER - len(_MAGIC) - 2
    return _MAGIC + struct.pack("<H", length) + text.ljust(length - 1) + b"\n"
