"""Equal arguments give equal programs, whatever a process draws for its hashes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from every_operation import exported
from small_chips import small_chip

from runtime.bpu.compiler import CompilerOptions, compile_graph

_HERE = Path(__file__).resolve().parent
_SCRIPT = """
import hashlib
import numpy as np
from random_graphs import random_graph
from small_chips import small_chip
from runtime.bpu.compiler import CompilerOptions, compile_graph

graph = random_graph(np.random.default_rng(5), 14)
for level in (0, 1, 2):
    program = compile_graph(graph, small_chip("nash-e", 2**13), CompilerOptions(level))
    print(hashlib.sha256(repr(program).encode()).hexdigest())
"""


@pytest.mark.parametrize("level", [0, 1, 2])
def test_twice_in_one_process(level: int) -> None:
    graph, options = exported()[1], CompilerOptions(level)  # type: ignore[arg-type]
    first, second = (compile_graph(graph, small_chip("nash-e", 2**16), options) for _ in range(2))
    assert first == second


def test_in_processes_with_other_hashes() -> None:
    paths = [_HERE, _HERE.parents[1] / "hbir", _HERE.parents[2]]
    printed = [
        subprocess.run(
            [sys.executable, "-c", _SCRIPT],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths)), "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert printed[0] == printed[1]
    assert len(set(printed[0].split())) == 3
