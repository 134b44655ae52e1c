"""Equal bits on other CPUs: qemu emulates one without AVX, and one with AVX2 but without AVX512 and VNNI."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from every_operation import INT16, exported
from hashes_of_results import hashes
from random_graphs import random_graph

from runtime.hbir.onnx_file import write_graph
from runtime.hbir.ops import OPERATIONS

HERE = Path(__file__).parent
EMULATOR = shutil.which("qemu-x86_64")

pytestmark = [
    pytest.mark.skipif(EMULATOR is None, reason="qemu-x86_64 is missing (Debian: qemu-user)"),
    pytest.mark.skipif(platform.machine() != "x86_64", reason="torch is built for another kind of CPU"),
]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Every operation in int8 and int16, and some random graphs."""
    graphs = [exported()[1], exported(INT16)[1]]
    graphs += [random_graph(np.random.default_rng(seed), nodes=20) for seed in range(4)]
    assert {node.op for graph in graphs for node in graph.nodes} == set(OPERATIONS)
    folder = tmp_path_factory.mktemp("files")
    paths = [folder / f"{number}.hbir.onnx" for number in range(len(graphs))]
    for path, graph in zip(paths, graphs, strict=True):
        write_graph(path, graph)
    return paths


@pytest.mark.parametrize(("cpu", "features"), [("Nehalem", "DEFAULT"), ("Haswell", "AVX2")])
def test_equal_bits(files: list[Path], cpu: str, features: str) -> None:
    assert EMULATOR is not None
    script = [sys.executable, str(HERE / "hashes_of_results.py"), *map(str, files)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE.parents[1])}
    done = subprocess.run(
        [EMULATOR, "-cpu", cpu, *script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found, *lines = done.stdout.splitlines()
    assert found == features
    assert lines == [line for path in files for line in hashes(path)]
    assert len({line.split()[2] for line in lines}) == len(files)  # both executors, one hash
