"""Runs a program instruction by instruction: data passes through the memories at the program's addresses."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from runtime.bpu.program.program import Program
from runtime.bpu.simulator.execute import Units
from runtime.bpu.simulator.hazards import check_hazards
from runtime.bpu.simulator.instruction_place import instruction_place
from runtime.bpu.simulator.memory import Array, Memory
from runtime.bpu.simulator.turns import at_turn
from runtime.bpu.simulator.verify import verify
from runtime.errors import RunError
from runtime.hbir.codes import check_inputs
from runtime.hbir.exact_convolutions import check_convolutions
from runtime.hbir.executor import TorchExecutor


class Simulator:
    """A chip with a program, called like an executor of graphs.

    Instructions are carried out in the order in which they stand, which `check_hazards` shows to give what
    any order gives that the units may take.

    Args:
        program: any one; it is verified.
        seed: of the garbage on the chip before each sample.

    Raises:
        RunError: the program makes no sense, instructions race, or this machine computes convolutions
            inexactly.
    """

    def __init__(self, program: Program, *, seed: int = 0) -> None:
        self.program = program
        self.graph = verify(program)
        check_hazards(program)
        check_convolutions(self.graph, lambda part: TorchExecutor(part, check=False), whole_maps=False)
        self._units = Units(program)
        self._seed = seed

    def __call__(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Integer codes of the inputs, for any number of samples, to those of the results, by name.

        Raises:
            RunError: inputs that do not fit the program, an instruction that reads what nothing has written
                or whose inputs do not give exactly its output.
        """
        count = check_inputs(self.graph, inputs)
        split = {name: codes.cpu().tensor_split(count) for name, codes in inputs.items()}
        runs = [
            self._run({name: parts[sample].numpy() for name, parts in split.items()})
            for sample in range(count)
        ]
        return {name: torch.cat([run[name] for run in runs]) for name in self.program.outputs}

    def _run(self, sample: Mapping[str, Array]) -> dict[str, Tensor]:
        program = self.program
        ddr, chip = Memory(program.ddr_bytes), Memory(program.chip_bytes, seed=self._seed)
        ddr.fill(0, program.constants)
        for name, codes in sample.items():
            ddr.write(program.homes[name], codes)
        memories = {"ddr": ddr, "chip": chip}
        for number, block in enumerate(program.blocks):
            for turn in range(block.turns):
                for position, instruction in enumerate(block.instructions):
                    try:
                        self._units.execute(at_turn(instruction, turn), memories)
                    except (ValueError, RunError) as error:
                        why = error.message if isinstance(error, RunError) else str(error)
                        place = instruction_place(program, number, position)
                        raise RunError(f"{place} at turn {turn} {why}") from error
        return {name: self._result(ddr, name) for name in program.outputs}

    def _result(self, ddr: Memory, name: str) -> Tensor:
        try:
            codes = ddr.read(self.program.homes[name])
        except ValueError as error:
            raise RunError(f"the program leaves its result `{name}` unfinished: it {error}") from error
        return torch.from_numpy(np.array(codes, dtype=codes.dtype.newbyteorder("=")))
