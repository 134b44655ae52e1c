"""What `encode_program` wrote back to a program; anything else is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast, get_args

from runtime.bpu.program.checked_json import entries, index, integer, items, keyed, parse, real, row, text
from runtime.bpu.program.encode_program import encode_program
from runtime.bpu.program.instruction import UNITS, Block, Instruction, Unit, Window
from runtime.bpu.program.program import Layer, Program
from runtime.bpu.program.region import Memory, Region
from runtime.hbir.graph import Attribute
from runtime.hbir.tensor_type import DType, TensorType

_MEMORIES, _DTYPES, _WINDOWS = get_args(Memory), get_args(DType), get_args(Window)
_KEYS = (
    *("inputs", "tensors", "outputs", "homes", "layers", "blocks"),
    *("chip_bytes", "ddr_bytes", "layouts", "kinds"),
)


def decode_program(content: bytes, header: Mapping[str, Any], constants: bytes) -> Program:
    """The program.

    Args:
        content: from `encode_program`.
        header: those arguments of `Program` that `content` does not say.

    Raises:
        ValueError: `encode_program` did not write this. Whether instructions make sense is another matter.
    """
    document = keyed(parse(content), *_KEYS)
    layouts = items(document["layouts"], _layout)
    kinds = items(document["kinds"], lambda value: _kind(value, layouts))
    program = Program(
        **header,
        inputs=items(document["inputs"], _tensor),
        tensors=items(document["tensors"], _tensor),
        outputs=items(document["outputs"], text),
        layers=items(document["layers"], lambda value: _layer(value, layouts)),
        homes=entries(document["homes"], lambda value: _region(value, layouts)),
        chip_bytes=integer(document["chip_bytes"]),
        ddr_bytes=integer(document["ddr_bytes"]),
        constants=constants,
        blocks=items(document["blocks"], lambda value: _block(value, kinds)),
    )
    if encode_program(program) != content:
        raise ValueError("what it says is not written as this program writes it")
    return program


@dataclass(frozen=True)
class _Kind:
    """What many instructions have in common: regions without their addresses."""

    unit: Unit
    inputs: tuple[Region, ...]
    output: Region
    constants: Mapping[str, Region]
    window: Mapping[str, int]

    @property
    def regions(self) -> int:
        return len(self.inputs) + 1 + len(self.constants)


def _word(value: Any, known: Sequence[str]) -> str:
    found = text(value)
    if found not in known:
        raise ValueError(f"`{found[:40]}` is none of {', '.join(known)}")
    return found


def _tensor(value: Any) -> TensorType:
    name, dtype, shape, scale = row(value, 4)
    kind = cast(DType, _word(dtype, _DTYPES))
    return TensorType(text(name), kind, items(shape, integer), items(scale, real))


def _layout(value: Any) -> Region:
    memory, dtype, shape, strides, step = row(value, 5)
    return Region(
        cast(Any, _word(memory, _MEMORIES)),
        0,
        cast(DType, _word(dtype, _DTYPES)),
        items(shape, integer),
        items(strides, integer),
        integer(step),
    )


def _region(value: Any, layouts: Sequence[Region]) -> Region:
    layout, address = row(value, 2)
    return replace(layouts[index(layout, len(layouts))], address=integer(address))


def _layer(value: Any, layouts: Sequence[Region]) -> Layer:
    name, op, inputs, output, attributes, constants = row(value, 6)
    return Layer(
        text(name),
        text(op),
        items(inputs, text),
        text(output),
        entries(attributes, _attribute),
        entries(constants, lambda region: _region(region, layouts)),
    )


def _attribute(value: Any) -> Attribute:
    return items(value, integer) if isinstance(value, list) else integer(value)


def _kind(value: Any, layouts: Sequence[Region]) -> _Kind:
    unit, inputs, output, constants, window = row(value, 5)

    def layout(place: Any) -> Region:
        return layouts[index(place, len(layouts))]

    found = entries(window, integer)
    return _Kind(
        cast(Unit, _word(unit, UNITS)),
        items(inputs, layout),
        layout(output),
        entries(constants, layout),
        {_word(key, _WINDOWS): number for key, number in found.items()},
    )


def _block(value: Any, kinds: Sequence[_Kind]) -> Block:
    turns, rows = row(value, 2)
    numbered = enumerate(items(rows, lambda one: items(one, integer)))
    return Block(integer(turns), tuple(_instruction(position, one, kinds) for position, one in numbered))


def _instruction(position: int, numbers: tuple[int, ...], kinds: Sequence[_Kind]) -> Instruction:
    if len(numbers) < 3:
        raise ValueError(f"an instruction of {len(numbers)} numbers")
    kind = kinds[index(numbers[0], len(kinds))]
    addresses, after = numbers[3 : 3 + kind.regions], numbers[3 + kind.regions :]
    if len(addresses) < kind.regions:
        raise ValueError(f"an instruction with {len(addresses)} of {kind.regions} addresses")
    inputs, output, constants = kind.inputs, kind.output, kind.constants
    placed = [
        replace(region, address=address)
        for region, address in zip((*inputs, output, *constants.values()), addresses, strict=True)
    ]
    return Instruction(
        kind.unit,
        numbers[1],
        tuple(placed[: len(inputs)]),
        placed[len(inputs)],
        dict(zip(constants, placed[len(inputs) + 1 :], strict=True)),
        kind.window,
        tuple(position - back for back in after),
        numbers[2],
    )
