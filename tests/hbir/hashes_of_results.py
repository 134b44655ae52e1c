"""What the executors make of HBIR files, as hashes: run as a script, to compare CPUs.

Prints the CPU features that torch uses, then a line for each file and executor.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from runtime.hbir.comparison.drawn_codes import drawn_codes
from runtime.hbir.executor import TorchExecutor
from runtime.hbir.onnx_file import read_graph
from runtime.hbir.onnxruntime_executor import OnnxRuntimeExecutor


def hashes(path: Path) -> Iterator[str]:
    """One line for each executor, of two samples of random and extreme codes."""
    graph = read_graph(path)
    inputs = drawn_codes(graph, np.random.default_rng(0), samples=2)
    yield f"{path.name} torch {_hash(TorchExecutor(graph)(inputs))}"
    yield f"{path.name} onnxruntime {_hash(OnnxRuntimeExecutor(graph, threads=1)(inputs))}"


def _hash(results: Mapping[str, Tensor]) -> str:
    total = hashlib.sha256()
    for name, codes in results.items():
        total.update(f"{name} {codes.dtype} {tuple(codes.shape)}".encode())
        total.update(codes.contiguous().numpy().tobytes())
    return total.hexdigest()


def main() -> None:
    """Of the files that the command line names."""
    torch.set_num_threads(1)
    print(torch.backends.cpu.get_cpu_capability())
    for name in sys.argv[1:]:
        for line in hashes(Path(name)):
            print(line, flush=True)


if __name__ == "__main__":
    main()
