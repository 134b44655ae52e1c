"""Whether a program makes sense, told without running it: nothing that passes can leave its memories."""

from __future__ import annotations

from itertools import pairwise

from runtime.bpu.program.program import Program
from runtime.bpu.simulator.check_instruction import check_instruction
from runtime.bpu.simulator.check_region import check_region
from runtime.bpu.simulator.instruction_place import instruction_place
from runtime.bpu.simulator.layer_graph import layer_graph
from runtime.errors import RunError
from runtime.hbir.graph import Graph

MAX_DDR = 2**31
"""Bytes: seventy times what a full-size model needs."""
MAX_CHIP = 2**28
"""Bytes: more than any march has."""
MAX_STEPS = 2**17
"""Instructions that one sample takes, all turns counted: forty times those of a full-size model."""


def verify(program: Program) -> Graph:
    """The graph that the program's layers are.

    Raises:
        RunError: regions out of their memory at any turn, instructions that do not fit their layer, that
            wait for later ones, overwrite constants, or are too many; layers that make no valid graph.
    """
    _check_sizes(program)
    graph = layer_graph(program)
    _check_homes(program)
    sizes = {"ddr": program.ddr_bytes, "chip": program.chip_bytes}
    for number, block in enumerate(program.blocks):
        for position, instruction in enumerate(block.instructions):
            try:
                for region in (*instruction.regions, instruction.output):
                    check_region(region, sizes, block.turns)
                check_instruction(program, instruction, position, block.turns)
            except ValueError as error:
                raise RunError(f"{instruction_place(program, number, position)} {error}") from error
    return graph


def _check_sizes(program: Program) -> None:
    if not len(program.constants) <= program.ddr_bytes <= MAX_DDR:
        raise RunError(
            f"the program uses {program.ddr_bytes} bytes of DDR for {len(program.constants)} of constants: "
            f"at most {MAX_DDR} are possible"
        )
    if not 0 <= program.chip_bytes <= MAX_CHIP:
        raise RunError(
            f"the program has {program.chip_bytes} bytes on the chip: at most {MAX_CHIP} are possible"
        )
    if any(block.turns < 1 for block in program.blocks):
        raise RunError("a block of the program has no turn")
    steps = sum(block.turns * len(block.instructions) for block in program.blocks)
    if steps > MAX_STEPS:
        raise RunError(f"a sample takes {steps} instructions: at most {MAX_STEPS} are possible")
    sizes = {"ddr": len(program.constants)}
    for layer in program.layers:
        for key, region in layer.constants.items():
            try:
                check_region(region, sizes, 1)
            except ValueError as error:
                raise RunError(f"the constant `{key}` of the layer `{layer.name}` {error}") from error
    # Layers that share bytes could ask for any amount of memory.
    count = sum(region.bytes for layer in program.layers for region in layer.constants.values())
    if count > len(program.constants):
        raise RunError(f"the layers have {count} bytes of constants, the program {len(program.constants)}")


def _check_homes(program: Program) -> None:
    expected = {*(tensor.name for tensor in program.inputs), *program.outputs}
    if set(program.homes) != expected:
        raise RunError(f"the program has homes for {sorted(program.homes)}, expected {sorted(expected)}")
    for name, home in program.homes.items():
        tensor = program.types[name]
        if (home.dtype, home.shape) != (tensor.dtype, tensor.shape) or home.step:
            raise RunError(
                f"the home of `{name}` is {home.dtype} of {home.shape}, not {tensor.dtype} of {tensor.shape}"
            )
        try:
            check_region(home, {"ddr": program.ddr_bytes}, 1)
        except ValueError as error:
            raise RunError(f"the home of `{name}` {error}") from error
    ordered = sorted(program.homes.items(), key=lambda item: item[1].address)
    if ordered and ordered[0][1].address < len(program.constants):
        raise RunError(f"the home of `{ordered[0][0]}` lies on constants")
    for (name, home), (other, after) in pairwise(ordered):
        if home.address + home.span > after.address:
            raise RunError(f"the homes of `{name}` and `{other}` overlap")
