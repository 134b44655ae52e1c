"""Addresses in DDR: constants, then the network's inputs and results, then what lies there for a while."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runtime.bpu.compiler.allocation import Lifetime, allocate
from runtime.bpu.compiler.buffers import Layout
from runtime.bpu.compiler.estimate import in_ddr
from runtime.bpu.compiler.placement import Placement
from runtime.bpu.program.region import aligned
from runtime.hbir.graph import Graph


@dataclass(frozen=True)
class DdrHomes:
    """Where tensors lie.

    Args:
        addresses: by name.
        size: bytes of DDR that are used.
    """

    addresses: dict[str, int]
    size: int


def ddr_homes(graph: Graph, placements: Sequence[Placement], constants: int, align: int) -> DdrHomes:
    """Addresses for every tensor that lies in DDR, from the end of the constants on."""
    addresses, end = {}, constants
    for name in (*(tensor.name for tensor in graph.inputs), *graph.outputs):
        tensor = graph.types[name]
        addresses[name] = end
        end += aligned(Layout.of(tensor.dtype, tensor.shape, align).size, align)
    spans = {name: life for name, life in _lifetimes(placements).items() if name not in addresses}
    placed = allocate(list(spans.values()), align)
    addresses |= {name: end + address for name, address in zip(spans, placed.addresses, strict=True)}
    return DdrHomes(addresses, end + placed.peak)


def _lifetimes(placements: Sequence[Placement]) -> dict[str, Lifetime]:
    """Of tensors in DDR, in groups of the whole network.

    What outlives a turn is needed during all turns of every section that makes or reads it.
    """
    spans: dict[str, Lifetime] = {}
    begin = 0
    for part in placements:
        sizes = {buffer.name: buffer.size for buffer in part.buffers if buffer.memory == "ddr"}
        section, end = part.section, begin + len(part.plan.tiled) - 1
        for place, tiled in enumerate(part.plan.tiled, begin):
            for name in in_ddr(tiled.group, part.plan.on_chip):
                outlives = name in section.leaving or name not in section.makers
                first, last = (begin, end) if outlives and section.turns > 1 else (place, place)
                known = spans.get(name)
                spans[name] = Lifetime(sizes[name], min(first, known.first) if known else first, last)
        begin = end + 1
    return spans
