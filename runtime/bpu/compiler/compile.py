"""A graph to a program."""

from __future__ import annotations

from collections.abc import Sequence

from runtime.bpu.compiler.attempts import compile_section
from runtime.bpu.compiler.constants import place_constants
from runtime.bpu.compiler.ddr import ddr_homes
from runtime.bpu.compiler.drafting import Chip
from runtime.bpu.compiler.estimate import Estimator
from runtime.bpu.compiler.instruction_cycles import InstructionCycles
from runtime.bpu.compiler.instructions import blocks_of, home_region
from runtime.bpu.compiler.options import CompilerOptions
from runtime.bpu.compiler.placement import Placement
from runtime.bpu.compiler.placement_cost import best_of, cost_of_placement, total
from runtime.bpu.compiler.sections import sections_of
from runtime.bpu.compiler.shared_weights import of_one_turn
from runtime.bpu.compiler.supported import check_supported
from runtime.bpu.march_data import March
from runtime.bpu.march_digest import march_digest
from runtime.bpu.program.program import Layer, Program
from runtime.errors import RunError
from runtime.hbir.graph import Graph
from runtime.hbir.onnx_encode import content_digest, to_onnx


def compile_graph(graph: Graph, march: March, options: CompilerOptions | None = None) -> Program:
    """What a chip of the march runs for one sample of a valid graph; equal for equal arguments.

    Raises:
        RunError: an operation that the march does not run on its BPU, or that does not fit on the chip even
            in its smallest parts.
    """
    options = options or CompilerOptions()
    return assembled(graph, march, options, placements_of(graph, march, options))


def placements_of(graph: Graph, march: March, options: CompilerOptions) -> list[Placement]:
    """What becomes the blocks of the program, with addresses on the chip.

    Raises:
        RunError: see `compile_graph`.
    """
    check_supported(graph, march)
    align, capacity = int(march.alignment.stride_bytes.value), int(march.memory.on_chip_bytes.value)
    constants, _ = place_constants(graph, align)
    estimator = Estimator(Chip(align, InstructionCycles(graph, march), constants))

    def compiled(at_once: frozenset[int]) -> list[Placement]:
        sections = sections_of(graph, at_once)
        return [compile_section(section, estimator, capacity, options, march.name) for section in sections]

    in_turns = compiled(frozenset())
    at_once = of_one_turn(graph, constants, capacity)
    if not at_once:
        return in_turns
    try:
        tried = [in_turns, compiled(at_once)]
    except RunError:  # all maps at once may need more than the chip has
        return in_turns
    costs = [total(map(cost_of_placement, placements)) for placements in tried]
    return tried[best_of(costs, options.objective)]


def assembled(
    graph: Graph, march: March, options: CompilerOptions, placements: Sequence[Placement]
) -> Program:
    """The program of all sections, with addresses in DDR."""
    align = int(march.alignment.stride_bytes.value)
    constants, content = place_constants(graph, align)
    ddr = ddr_homes(graph, placements, len(content), align)
    return Program(
        march=march.name,
        march_digest=march_digest(march),
        source=content_digest(to_onnx(graph)),
        options=options.as_mapping(),
        inputs=graph.inputs,
        tensors=graph.tensors,
        outputs=graph.outputs,
        layers=tuple(
            Layer(node.name, node.op, node.inputs, node.output, dict(node.attributes), placed.arrays)
            for node, placed in zip(graph.nodes, constants, strict=True)
        ),
        homes={
            name: home_region(graph.types[name], ddr.addresses[name], align)
            for name in (*(tensor.name for tensor in graph.inputs), *graph.outputs)
        },
        chip_bytes=int(march.memory.on_chip_bytes.value),
        ddr_bytes=ddr.size,
        constants=content,
        blocks=tuple(block for placement in placements for block in blocks_of(placement, ddr.addresses)),
    )
