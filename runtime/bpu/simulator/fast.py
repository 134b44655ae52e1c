"""Runs a program layer by layer: the same bits as instruction by instruction, for whole datasets."""

from __future__ import annotations

import torch

from runtime.bpu.program.program import Program
from runtime.bpu.simulator.verify import verify
from runtime.hbir.executor import TorchExecutor


def fast_simulator(program: Program, *, device: torch.device | str = "cpu") -> TorchExecutor:
    """Whole layers with the constants that the program holds in DDR, on a CPU or a GPU.

    Its instructions are verified, not run: whether they give these bits, `Simulator` shows.

    Raises:
        RunError: the program makes no sense, or the device computes convolutions inexactly.
    """
    return TorchExecutor(verify(program), device=device)
