"""Drafts of instructions for groups: what is loaded, computed and stored for each of their parts.

Drafts stand in the order in which one would do things one after the other; `prefetch` moves transfers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from runtime.bpu.compiler.box import Box
from runtime.bpu.compiler.buffers import Buffer, Draft, Layout, View, view_of
from runtime.bpu.compiler.constants import LayerConstants
from runtime.bpu.compiler.groups import Step
from runtime.bpu.compiler.held_constants import Cut, HeldConstants
from runtime.bpu.compiler.instruction_cycles import InstructionCycles
from runtime.bpu.compiler.parts import Part, part_of
from runtime.bpu.compiler.sections import Section
from runtime.bpu.program.instruction import Unit
from runtime.bpu.program.region import aligned


@dataclass(frozen=True)
class Chip:
    """What drafts depend on, of a march and a graph.

    Args:
        align: bytes to which rows and buffers are aligned.
        cycles: of instructions.
        constants: of every layer, in DDR.
    """

    align: int
    cycles: InstructionCycles
    constants: list[LayerConstants]


@dataclass(frozen=True)
class Home:
    """Where a tensor lies in DDR: a buffer, and how far apart the maps of turns are."""

    buffer: int
    step: int


@dataclass
class _Tile:
    """A box of a tensor in a buffer on the chip."""

    buffer: int
    layout: Layout
    box: Box

    def view(self, box: Box) -> View:
        return view_of(self.buffer, self.layout, box.within(self.box))


@dataclass
class Drafting:
    """Drafts of one block as they come to be.

    Args:
        section: the layers.
        chip: what instructions depend on.
        homes: tensors that lie in DDR.
        on_chip: tensors that lie on the chip as a whole, those with a home in DDR besides, and constants that
            lie there from the first turn to the last, by the names of their buffers.
        buffers: those of DDR first.
        kept_bytes: of such constants, from address 0 on.
    """

    section: Section
    chip: Chip
    homes: Mapping[str, Home]
    on_chip: frozenset[str]
    buffers: list[Buffer]
    drafts: list[Draft] = field(default_factory=list)
    kept_bytes: int = 0
    _slot: int = 0
    _resident: dict[str, _Tile] = field(default_factory=dict)
    _started: set[int] = field(default_factory=set)
    _loaded: dict[str, _Tile] = field(default_factory=dict)
    _constants: dict[int, HeldConstants] = field(default_factory=dict)
    _kept: dict[int, HeldConstants] = field(default_factory=dict)

    def run(self, steps: Iterable[Step], *, first: bool = True) -> None:
        """Appends the drafts of some steps of a group.

        Args:
            first: these are its first; else what the steps before have loaded is still there.
        """
        if first:
            self._loaded, self._constants = {}, {}
        for step in steps:
            parts = {layer: self._part(layer, box) for layer, box in step}
            wanted = self._wanted(parts)
            made: dict[str, _Tile] = {}
            for layer, box in step:
                self._compute(layer, box, parts[layer], wanted, made)

    def _part(self, layer: int, box: Box) -> Part:
        section = self.section
        return part_of(section.node(layer), section.inputs(layer), section.made(layer), box)

    def _wanted(self, parts: Mapping[int, Part]) -> dict[str, Box]:
        """What a step reads of every tensor."""
        wanted: dict[str, Box] = {}
        for layer, part in parts.items():
            for name, box in zip(self.section.node(layer).inputs, part.inputs, strict=True):
                wanted[name] = box.hull(wanted.get(name))
        return wanted

    def _compute(
        self, layer: int, box: Box, part: Part, wanted: Mapping[str, Box], made: dict[str, _Tile]
    ) -> None:
        node, cycles = self.section.node(layer), self.chip.cycles
        inputs = tuple(
            self._input(layer, name, source, wanted[name], made)
            for name, source in zip(node.inputs, part.inputs, strict=True)
        )
        constants = self._constant_views(layer, part)
        shapes = tuple(view.shape for view in inputs)
        if node.op == "grid_sample" and part.points is not None:
            shapes = (shapes[0], (shapes[0][0], *constants["points"].shape[1:]))
        count = cycles.compute(layer, shapes, box.shape)
        if layer not in self._started:
            self._started.add(layer)
            count += cycles.overhead(self.section.turns)
        tile = self._output(node.output, box)
        made[node.output] = tile
        output = tile.view(box)
        unit = cycles.units[layer]
        self._append(unit, layer, inputs, output, count, constants=constants, window=part.window)
        home = self.homes.get(node.output)
        if home is not None:
            stored = self._home_view(node.output, home, box)
            self._append("STORE", layer, (output,), stored, cycles.transfer(output.bytes))
        self._slot += 1

    def _append(
        self,
        unit: Unit,
        layer: int,
        inputs: tuple[View, ...],
        output: View,
        cycles: int,
        *,
        constants: Mapping[str, View] | None = None,
        window: Mapping[str, int] | None = None,
    ) -> None:
        draft = Draft(unit, layer, self._slot, inputs, output, cycles, constants or {}, window or {})
        self.drafts.append(draft)

    def _input(self, layer: int, name: str, box: Box, wanted: Box, made: Mapping[str, _Tile]) -> View:
        if name in self._resident or (name in self.on_chip and name in self.section.makers):
            return self._output(name, box).view(box)
        if name in made:
            return made[name].view(box)
        tile = self._loaded.get(name)
        if tile is None or not tile.box.contains(wanted):
            stays = name in self.on_chip
            tile = self._load(layer, name, Box.whole(self.section.types[name].shape) if stays else wanted)
            (self._resident if stays else self._loaded)[name] = tile
        return tile.view(box)

    def _load(self, layer: int, name: str, box: Box) -> _Tile:
        tile = self._tile(name, box)
        source = self._home_view(name, self.homes[name], box)
        self._append("LOAD", layer, (source,), tile.view(box), self.chip.cycles.transfer(source.bytes))
        return tile

    def _output(self, name: str, box: Box) -> _Tile:
        if name not in self.on_chip:
            return self._tile(name, box)
        if name not in self._resident:
            self._resident[name] = self._tile(name, Box.whole(self.section.types[name].shape))
        return self._resident[name]

    def _tile(self, name: str, box: Box) -> _Tile:
        layout = Layout.of(self.section.types[name].dtype, box.shape, self.chip.align)
        return _Tile(self._buffer(name, layout.size), layout, box)

    def _buffer(self, name: str, size: int) -> int:
        self.buffers.append(Buffer(name, "chip", size))
        return len(self.buffers) - 1

    def _home_view(self, name: str, home: Home, box: Box) -> View:
        tensor = self.section.types[name]
        layout = Layout.of(tensor.dtype, tensor.shape, self.chip.align)
        return view_of(home.buffer, layout, box, step=home.step)

    def _constant_views(self, layer: int, part: Part) -> dict[str, View]:
        """Constants on the chip; what the step before had is still there."""
        if not self.chip.constants[layer].size:
            return {}
        cut = part.channels if part.channels is not None else part.points
        if self.section.constants_name(layer) in self.on_chip:
            return self._kept_constants(layer).views(cut)
        held = self._constants.get(layer)
        if held is None or held.cut != cut:
            held = self._constants[layer] = self._held(layer, cut)
            self.drafts.append(self._constant_load(layer, held))
        return held.views(cut)

    def _kept_constants(self, layer: int) -> HeldConstants:
        """All of a layer's, which the first turn loads."""
        if layer not in self._kept:
            held = self._kept[layer] = self._held(layer, None, fixed=self.kept_bytes)
            self.kept_bytes += aligned(held.size, self.chip.align)
            self.drafts.append(self._constant_load(layer, held, once=True))
        return self._kept[layer]

    def _held(self, layer: int, cut: Cut, *, fixed: int | None = None) -> HeldConstants:
        held = HeldConstants(self.chip.constants[layer], len(self.buffers), cut)
        self.buffers.append(Buffer(self.section.constants_name(layer), "chip", held.size, fixed))
        return held

    def _constant_load(self, layer: int, held: HeldConstants, *, once: bool = False) -> Draft:
        source, target = held.transfer()
        cycles = self.chip.cycles.transfer(target.bytes)
        return Draft("LOAD", layer, self._slot, (source,), target, cycles, once=once)
