"""Where the constants of layers lie in DDR, so that those of some output channels are one transfer.

Weights of an output channel stand with its bias, multiplier and shift in one record, widest numbers first;
records are multiples of eight bytes. Tables and points lie as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from runtime.bpu.program.region import Region, aligned, packed_strides
from runtime.hbir.graph import Graph, Node
from runtime.hbir.tensor_type import Constant

_BY_CHANNEL = ("conv", "linear")
_RECORD_ALIGN = 8


@dataclass(frozen=True)
class LayerConstants:
    """Constants of one layer.

    Args:
        address: of the first byte in DDR.
        size: bytes of all.
        record: bytes of an output channel's; 0 where there is one constant that is not by channel.
        arrays: whole, in DDR, by name.
    """

    address: int
    size: int
    record: int
    arrays: Mapping[str, Region]


def place_constants(graph: Graph, align: int) -> tuple[list[LayerConstants], bytes]:
    """Those of every layer, from address 0 on, and the bytes themselves."""
    placed, content, address = [], [], 0
    for node in graph.nodes:
        found, data = _by_channel(node, address) if node.op in _BY_CHANNEL else _single(node, address)
        padded = aligned(len(data), align)
        content.append(data.ljust(padded, b"\0"))
        address += padded
        placed.append(found)
    return placed, b"".join(content)


def _by_channel(node: Node, address: int) -> tuple[LayerConstants, bytes]:
    channels = node.constants["weight"].shape[0]
    names = sorted(node.constants, key=lambda name: (-_item(node.constants[name]), name))
    columns, offset = {}, 0
    for name in names:
        constant = node.constants[name]
        columns[name] = offset
        offset += len(constant.data) // channels
    record = aligned(offset, _RECORD_ALIGN)
    table = np.zeros((channels, record), dtype=np.uint8)
    arrays = {}
    for name in sorted(node.constants):
        constant, column = node.constants[name], columns[name]
        plain = np.frombuffer(constant.data, dtype=np.uint8).reshape(channels, -1)
        table[:, column : column + plain.shape[1]] = plain
        inner = packed_strides(constant.shape, _item(constant))[1:]
        strides = (record, *inner)
        arrays[name] = Region("ddr", address + column, constant.dtype, constant.shape, strides)
    return LayerConstants(address, table.size, record, arrays), table.tobytes()


def _single(node: Node, address: int) -> tuple[LayerConstants, bytes]:
    if not node.constants:
        return LayerConstants(address, 0, 0, {}), b""
    ((name, constant),) = node.constants.items()
    strides = packed_strides(constant.shape, _item(constant))
    region = Region("ddr", address, constant.dtype, constant.shape, strides)
    return LayerConstants(address, len(constant.data), 0, {name: region}), constant.data


def _item(constant: Constant) -> int:
    return int(np.dtype(constant.dtype).itemsize)
