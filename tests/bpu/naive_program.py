"""Programs without a compiler: every part of every layer is loaded, computed, stored, one after the other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from naive_parts import Box, Part, part_of, random_boxes, whole

from runtime.bpu.graph_operations import operation_name
from runtime.bpu.march import load_march
from runtime.bpu.march_digest import march_digest
from runtime.bpu.program.instruction import Block, Instruction, Unit
from runtime.bpu.program.program import Layer, Program
from runtime.bpu.program.region import Memory, Region, map_strides, packed_strides
from runtime.hbir.graph import Graph, Node
from runtime.hbir.tensor_type import Constant, DType, Shape

MARCH = "bayes"
_ALIGN = 64


def naive_program(graph: Graph, rng: np.random.Generator | None = None) -> Program:
    """A program for any graph.

    Args:
        rng: cuts results into random parts, lays them out at random, and takes some maps one a turn; None
            computes whole layers.
    """
    return _Writer(graph, rng).program()


class _Writer:
    def __init__(self, graph: Graph, rng: np.random.Generator | None) -> None:
        self.graph, self.rng = graph, rng
        self.data = bytearray()
        self.layers = tuple(self._layer(node) for node in graph.nodes)
        self.ddr = len(self.data)
        self.chip = 0
        self.tensors = {
            tensor.name: self._in_ddr(tensor.dtype, tensor.shape)
            for tensor in (*graph.inputs, *graph.tensors)
        }

    def program(self) -> Program:
        blocks = tuple(self._block(position, node) for position, node in enumerate(self.graph.nodes))
        homes = {*(tensor.name for tensor in self.graph.inputs), *self.graph.outputs}
        return Program(
            march=MARCH,
            march_digest=march_digest(load_march(MARCH)),
            source="0" * 64,
            options={"parts": "whole" if self.rng is None else "random"},
            inputs=self.graph.inputs,
            tensors=self.graph.tensors,
            outputs=self.graph.outputs,
            layers=self.layers,
            homes={name: region for name, region in self.tensors.items() if name in homes},
            chip_bytes=self.chip,
            ddr_bytes=self.ddr,
            constants=bytes(self.data),
            blocks=blocks,
        )

    def _layer(self, node: Node) -> Layer:
        constants = {key: self._constant(constant) for key, constant in node.constants.items()}
        return Layer(node.name, node.op, node.inputs, node.output, dict(node.attributes), constants)

    def _constant(self, constant: Constant) -> Region:
        address = len(self.data)
        self.data += constant.data
        self.data += bytes(-len(self.data) % _ALIGN)
        return self._region("ddr", address, constant.dtype, constant.shape, packed=True)

    def _region(self, memory: Memory, address: int, dtype: DType, shape: Shape, *, packed: bool) -> Region:
        item = np.dtype(dtype).itemsize
        packed = packed or len(shape) != 4
        strides = packed_strides(shape, item) if packed else map_strides(shape, item, 16)
        return Region(memory, address, dtype, shape, strides)

    def _in_ddr(self, dtype: DType, shape: Shape) -> Region:
        region = self._region("ddr", self.ddr, dtype, shape, packed=False)
        self.ddr += -(-region.span // _ALIGN) * _ALIGN
        return region

    def _block(self, position: int, node: Node) -> Block:
        """One layer; with an rng, sometimes map by map."""
        made = self.graph.types[node.output]
        inputs = self.graph.input_types(node)
        boxes = [whole(made.shape)] if self.rng is None else list(random_boxes(node, made, self.rng))
        turns = 1
        if self.rng is not None and node.op != "view_sum" and self.rng.random() < 0.5:
            turns = made.shape[0]
            boxes = [((0, 1), *box[1:]) for box in boxes if box[0][0] == 0]
        instructions: list[Instruction] = []
        for box in boxes:
            part = Part(tuple(whole(x.shape) for x in inputs))
            if self.rng is not None:
                part = part_of(node, inputs, box)
            instructions += self._part(position, node, part, box, len(instructions), turns)
        return Block(turns, tuple(instructions))

    def _part(
        self, position: int, node: Node, part: Part, box: Box, first: int, turns: int
    ) -> list[Instruction]:
        layer = self.layers[position]
        at = 0
        steps = [
            *(
                (self.tensors[name], inner, True)
                for name, inner in zip(node.inputs, part.inputs, strict=True)
            ),
            *(
                (region, part.constants.get(key, whole(region.shape)), False)
                for key, region in layer.constants.items()
            ),
        ]
        loads: list[Instruction] = []
        for region, inner, moves in steps:
            source = _box(region, inner, turns if moves else 1)
            target, at = self._on_chip(source, at)
            # Before the first one, what was stored last must have left the chip.
            after = (first - 1,) if first and not loads else ()
            loads.append(Instruction("LOAD", position, (source,), target, after=after))
        home = _box(self.tensors[node.output], box, turns)
        output, at = self._on_chip(home, at)
        regions = [load.output for load in loads]
        count = len(part.inputs)
        compute = Instruction(
            _unit(node.op),
            position,
            tuple(regions[:count]),
            output,
            dict(zip(layer.constants, regions[count:], strict=True)),
            part.window,
            after=(first + len(loads) - 1,),
        )
        store = Instruction("STORE", position, (output,), home, after=(first + len(loads),))
        self.chip = max(self.chip, at)
        return [*loads, compute, store]

    def _on_chip(self, source: Region, at: int) -> tuple[Region, int]:
        packed = self.rng is not None and self.rng.random() < 0.5
        region = self._region("chip", at, source.dtype, source.shape, packed=packed)
        return region, at + -(-region.span // 8) * 8


def _unit(op: str) -> Unit:
    return load_march(MARCH).operations[operation_name(op)].runs_on.value  # type: ignore[return-value]


def _box(region: Region, box: Box, turns: int) -> Region:
    starts, stops = zip(*box, strict=True)
    found = region.box(starts, stops)
    return replace(found, step=region.strides[0]) if turns > 1 else found
