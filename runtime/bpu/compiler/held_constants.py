"""Constants of a layer in a buffer on the chip: all of them, or those of some channels or rows of points."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.bpu.compiler.box import Box
from runtime.bpu.compiler.buffers import Layout, View, view_of
from runtime.bpu.compiler.constants import LayerConstants

_POINT_ROWS = 1
"""Axis of constant points along which they are cut."""

Cut = tuple[int, int] | None
"""First and last, exclusive, of output channels or of rows of points; None: all."""


@dataclass(frozen=True)
class HeldConstants:
    """What one LOAD brings to the chip.

    Args:
        constants: of the layer, in DDR.
        buffer: number of the buffer on the chip.
        cut: which of them.
    """

    constants: LayerConstants
    buffer: int
    cut: Cut

    @property
    def size(self) -> int:
        """Bytes on the chip."""
        if self.constants.record:
            first, last = self._channels(self.cut)
            return (last - first) * self.constants.record
        return self._tile.size

    def transfer(self) -> tuple[View, View]:
        """Where they come from, in the buffer of all constants, which is buffer 0, and where they go."""
        constants = self.constants
        if constants.record:
            first, _ = self._channels(self.cut)
            moved = self.size
            source = View(0, constants.address + first * constants.record, "int8", (moved,), (1,))
            return source, View(self.buffer, 0, "int8", (moved,), (1,))
        ((_, region),) = constants.arrays.items()
        whole = Layout(region.dtype, region.shape, region.strides, region.bytes)
        inner = view_of(0, whole, self._box(self.cut))
        source = View(0, inner.offset + region.address, inner.dtype, inner.shape, inner.strides)
        return source, view_of(self.buffer, self._tile, Box.whole(inner.shape))

    def views(self, cut: Cut) -> dict[str, View]:
        """Those of some channels or rows of points, which must be among what is held."""
        constants = self.constants
        if not constants.record:
            ((name, _),) = constants.arrays.items()
            inside = self._box(cut).within(self._box(self.cut))
            return {name: view_of(self.buffer, self._tile, inside)}
        held, (first, last) = self._channels(self.cut)[0], self._channels(cut)
        skipped = (first - held) * constants.record
        return {
            name: View(
                self.buffer,
                skipped + region.address - constants.address,
                region.dtype,
                (last - first, *region.shape[1:]),
                region.strides,
            )
            for name, region in constants.arrays.items()
        }

    @property
    def _tile(self) -> Layout:
        ((_, region),) = self.constants.arrays.items()
        return Layout.of(region.dtype, self._box(self.cut).shape, 1)

    def _channels(self, cut: Cut) -> tuple[int, int]:
        return (0, self.constants.size // self.constants.record) if cut is None else cut

    def _box(self, cut: Cut) -> Box:
        ((_, region),) = self.constants.arrays.items()
        box = Box.whole(region.shape)
        return box if cut is None else box.with_axis(_POINT_ROWS, *cut)
