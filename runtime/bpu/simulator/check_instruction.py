"""Whether an instruction fits its unit and its layer, as far as that can be told without data."""

from __future__ import annotations

from runtime.bpu.program.instruction import UNITS, Instruction
from runtime.bpu.program.program import Layer, Program
from runtime.bpu.program.region import Region
from runtime.hbir.tensor_type import DType, Shape

_WINDOWS = {
    "conv": ("pad_top", "pad_bottom"),
    "max_pool": ("pad_top", "pad_bottom"),
    "resize_bilinear": ("first_row", "source_row"),
    "resize_nearest": ("first_row", "source_row"),
}
# Along which axis a part may have less of a constant: output channels, but rows of points.
_CUT_AXIS = {"points": 1}
_MEMORIES = {"LOAD": ("ddr", "chip"), "STORE": ("chip", "ddr")}


def check_instruction(program: Program, instruction: Instruction, position: int, turns: int) -> None:
    """Checks an instruction whose regions are within bounds.

    Raises:
        ValueError: it does not fit its unit or layer, waits for a later one, or overwrites constants.
    """
    if instruction.unit not in UNITS:
        raise ValueError(f"is for the unit `{instruction.unit}`, expected one of {', '.join(UNITS)}")
    if not 0 <= instruction.layer < len(program.layers):
        raise ValueError(f"belongs to one of {len(program.layers)} layers, which does not exist")
    if instruction.cycles < 1:
        raise ValueError(f"takes {instruction.cycles} cycles")
    late = [index for index in instruction.after if not 0 <= index < position]
    if late:
        raise ValueError(f"waits for instruction {late[0]}, which is not before it")
    source, target = _MEMORIES.get(instruction.unit, ("chip", "chip"))
    if instruction.output.memory != target or any(r.memory != source for r in instruction.regions):
        raise ValueError(f"does not go from {source} to {target}")
    if instruction.moves:
        _check_transfer(instruction)
        _check_constants_stay(program, instruction.output, turns)
    else:
        _check_layer(program, program.layers[instruction.layer], instruction)


def _check_transfer(instruction: Instruction) -> None:
    if len(instruction.inputs) != 1 or instruction.constants or instruction.window:
        raise ValueError("moves something else than one region")
    source, target = instruction.inputs[0], instruction.output
    if (source.dtype, source.shape) != (target.dtype, target.shape):
        raise ValueError(f"moves {source.dtype} of {source.shape} to {target.dtype} of {target.shape}")


def _check_constants_stay(program: Program, target: Region, turns: int) -> None:
    lowest = target.address + min(0, (turns - 1) * target.step)
    if target.memory == "ddr" and lowest < len(program.constants):
        raise ValueError(f"overwrites constants at {lowest:#x}")


def _check_layer(program: Program, layer: Layer, instruction: Instruction) -> None:
    if len(instruction.inputs) != len(layer.inputs):
        raise ValueError(f"reads {len(instruction.inputs)} tensors, its layer reads {len(layer.inputs)}")
    regions = (*instruction.inputs, instruction.output)
    for name, region in zip((*layer.inputs, layer.output), regions, strict=True):
        tensor = program.types[name]
        _check_part(f"`{name}`", region, tensor.dtype, tensor.shape)
    if set(instruction.constants) != set(layer.constants):
        raise ValueError(
            f"has the constants {sorted(instruction.constants)}, expected {sorted(layer.constants)}"
        )
    for key, region in instruction.constants.items():
        whole = layer.constants[key]
        _check_part(f"`{key}`", region, whole.dtype, whole.shape)
        cut = _CUT_AXIS.get(key, 0)
        if any(
            axis != cut and size != full
            for axis, (size, full) in enumerate(zip(region.shape, whole.shape, strict=True))
        ):
            raise ValueError(f"has {region.shape} of `{key}`, which is {whole.shape}")
    keys = _WINDOWS.get(layer.op, ())
    if instruction.window and set(instruction.window) != set(keys):
        raise ValueError(f"has the window {sorted(instruction.window)}, expected {sorted(keys) or 'none'}")
    if any(value < 0 for value in instruction.window.values()):
        raise ValueError(f"has the window {dict(instruction.window)}")


def _check_part(name: str, region: Region, dtype: DType, shape: Shape) -> None:
    fits = len(region.shape) == len(shape) and all(a <= b for a, b in zip(region.shape, shape, strict=True))
    if region.dtype != dtype or not fits:
        raise ValueError(f"has {region.dtype} of {region.shape} for {name}, {dtype} of {shape}")
