"""Holds a compiled program against the exported network, sample by sample, to the last bit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from runtime.bpu.program.program import Program
from runtime.bpu.simulator.fast import fast_simulator
from runtime.bpu.simulator.simulator import Simulator
from runtime.errors import RunError
from runtime.hbir.codes import decode
from runtime.hbir.comparison.first_difference import Difference, first_difference, tensor_pairs
from runtime.hbir.executor import TorchExecutor
from runtime.hbir.graph import Graph
from runtime.hbir.onnx_encode import content_digest, to_onnx
from runtime.training.output_digest import OutputDigest

Codes = Mapping[str, Tensor]


class Alignment:
    """A program that runs in three forms: as the graph that was exported, by layers, by instructions.

    Args:
        exported: the graph of the file that was compiled.
        program: what became of it.
        simulated_samples: how many samples, the first ones, are also run instruction by instruction.
        device: where the first two forms run.

    Raises:
        RunError: the program is that of another graph, makes no sense, or the device computes inexactly.
    """

    def __init__(self, exported: Graph, program: Program, *, simulated_samples: int, device: str) -> None:
        if program.source != content_digest(to_onnx(exported)):
            raise RunError(
                "the program was compiled from another export", hint="run the stage `compile` again"
            )
        self.exported = TorchExecutor(exported, device=device)
        self.layers = fast_simulator(program, device=device)
        self.wanted = simulated_samples
        self._simulator = Simulator(program) if simulated_samples else None
        self._digest = OutputDigest()
        self.samples = self.simulated = self.compared_codes = self.differing_codes = 0
        self.input_codes = self.changed_input_codes = 0

    @property
    def graph(self) -> Graph:
        """What the program computes."""
        return self.layers.graph

    def run(self, codes: Codes, camera: Codes) -> dict[str, Tensor]:
        """Results of the program on what a camera delivers.

        Args:
            codes: what `int_infer` is given; here the program must give what the export gives.
            camera: what a board is given.

        Raises:
            RunError: the forms differ.
        """
        made = self.layers(codes)
        self._check_layers(codes, made)
        self._digest.update(decode(self.graph, made))
        changed = int((camera["img"] != codes["img"]).sum())
        result = self.layers(camera) if changed else made
        count = self.graph.samples({name: tuple(value.shape) for name, value in codes.items()})
        for sample in range(min(count, self.wanted - self.simulated)):
            self._check_instructions(camera, result, sample, count)
        self.samples += count
        self.input_codes += codes["img"].numel()
        self.changed_input_codes += changed
        return result

    def document(self) -> dict[str, Any]:
        """What was compared so far."""
        return {
            "samples": self.samples,
            "simulated": self.simulated,
            "compared_codes": self.compared_codes,
            "differing_codes": self.differing_codes,
            "input_codes": self.input_codes,
            "changed_input_codes": self.changed_input_codes,
            "output_digest": self._digest.hexdigest(),
        }

    def _check_layers(self, codes: Codes, made: Codes) -> None:
        expected = self.exported(codes)
        self.compared_codes += sum(codes.numel() for codes in made.values())
        self.differing_codes += sum(_differing(expected[name], made[name]) for name in made)
        if self.differing_codes:
            found = self._first(codes)
            assert found is not None and found.codes is not None  # both runs repeat themselves
            raise RunError(
                f"the program does not compute what was exported: `{found.node.output}` is the first tensor "
                f"that differs, in {found.codes.differing} of {found.codes.codes} codes, of the layer "
                f"`{found.node.name}`",
                hint="run the stage `compile` again; if that does not help, this is a defect of the compiler",
            )

    def _first(self, codes: Codes) -> Difference | None:
        a, b = (
            ((name, found.cpu().numpy().astype(np.int64)) for name, found in executor.tensors(codes))
            for executor in (self.exported, self.layers)
        )
        return first_difference(self.exported.graph, a, b, tensor_pairs(self.exported.graph, self.graph))

    def _check_instructions(self, camera: Codes, result: Codes, sample: int, count: int) -> None:
        assert self._simulator is not None
        found = self._simulator({name: codes.tensor_split(count)[sample] for name, codes in camera.items()})
        for name, codes in found.items():
            expected = result[name].tensor_split(count)[sample]
            if wrong := _differing(expected, codes):
                raise RunError(
                    f"the program's instructions do not give what its layers give: `{name}` is the first "
                    f"result that differs, in {wrong} of {codes.numel()} codes of sample {self.simulated}",
                    hint="this is a defect of the compiler or of the simulator",
                )
        self.simulated += 1


def _differing(a: Tensor, b: Tensor) -> int:
    return int((a.cpu() != b.cpu()).sum())
