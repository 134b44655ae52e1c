"""A program, but for its constants, as compact JSON; equal programs give equal bytes.

Thousands of instructions share few layouts of regions and few kinds of instructions, which stand in tables of
their own; an instruction then is a row of integers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from runtime.bpu.program.instruction import Instruction
from runtime.bpu.program.program import Layer, Program
from runtime.bpu.program.region import Region
from runtime.hbir.graph import Attribute
from runtime.hbir.tensor_type import TensorType


def encode_program(program: Program) -> bytes:
    """Everything that the manifest does not say."""
    layouts, kinds = _Table(), _Table()
    content = {
        "inputs": [_tensor(tensor) for tensor in program.inputs],
        "tensors": [_tensor(tensor) for tensor in program.tensors],
        "outputs": list(program.outputs),
        "homes": {name: _region(region, layouts) for name, region in sorted(program.homes.items())},
        "layers": [_layer(layer, layouts) for layer in program.layers],
        "blocks": [
            [
                int(block.turns),
                [_row(position, one, layouts, kinds) for position, one in enumerate(block.instructions)],
            ]
            for block in program.blocks
        ],
        "chip_bytes": int(program.chip_bytes),
        "ddr_bytes": int(program.ddr_bytes),
        "layouts": layouts.rows(),
        "kinds": kinds.rows(),
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


class _Table:
    """Rows without repetition, in the order in which they were first met."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def place(self, row: list[Any]) -> int:
        return self._places.setdefault(json.dumps(row, sort_keys=True), len(self._places))

    def rows(self) -> list[Any]:
        return [json.loads(row) for row in self._places]


def _tensor(tensor: TensorType) -> list[Any]:
    return [tensor.name, tensor.dtype, _integers(tensor.shape), [float(scale) for scale in tensor.scale]]


def _integers(values: Iterable[int]) -> list[int]:
    return [int(value) for value in values]


def _region(region: Region, layouts: _Table) -> list[int]:
    return [_layout(region, layouts), int(region.address)]


def _layout(region: Region, layouts: _Table) -> int:
    shape, strides = _integers(region.shape), _integers(region.strides)
    return layouts.place([region.memory, region.dtype, shape, strides, int(region.step)])


def _layer(layer: Layer, layouts: _Table) -> list[Any]:
    return [
        layer.name,
        layer.op,
        list(layer.inputs),
        layer.output,
        {key: _attribute(value) for key, value in layer.attributes.items()},
        {key: _region(region, layouts) for key, region in sorted(layer.constants.items())},
    ]


def _attribute(value: Attribute) -> int | list[int]:
    return _integers(value) if isinstance(value, tuple) else int(value)


def _row(position: int, instruction: Instruction, layouts: _Table, kinds: _Table) -> list[int]:
    """Kind, layer, cycles, addresses of inputs, output and constants, and how far back it waits."""
    constants = sorted(instruction.constants.items())
    kind = [
        instruction.unit,
        [_layout(region, layouts) for region in instruction.inputs],
        _layout(instruction.output, layouts),
        {key: _layout(region, layouts) for key, region in constants},
        {key: int(value) for key, value in instruction.window.items()},
    ]
    regions = (*instruction.inputs, instruction.output, *(region for _, region in constants))
    return [
        kinds.place(kind),
        int(instruction.layer),
        int(instruction.cycles),
        *(int(region.address) for region in regions),
        *(position - int(index) for index in instruction.after),
    ]
