"""Explaining, comparing and writing specs import nothing heavy, and take no longer than a build."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from specgen import __version__

ROOT = Path(__file__).resolve().parents[3]
HEAVY = ("torch", "numpy", "cv2", "lightning", "matplotlib", "lmdb", "onnx", "runtime")


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["explain", "E201"], None),
        (["explain", "model.backbone.depth", "--spec", "bev_ipm"], None),
        (["diff", "bev_ipm", "bev_ipm_tiny"], 1),
        (["graph", "bev_ipm", "--format", "mermaid"], None),
        (["new", "mine"], None),
        (["list", "--json"], None),
    ],
)
def test_nothing_heavy_is_imported(tmp_path: Path, arguments: list[str], status: int | None) -> None:
    script = (
        "import sys, runpy\n"
        f"sys.argv = ['specgen', *{arguments!r}]\n"
        "try:\n    runpy.run_module('specgen', run_name='__main__')\n"
        f"except SystemExit as end:\n    assert (end.code or None) == {status}, end.code\n"
        f"heavy = [m for m in sys.modules if m.split('.')[0] in {HEAVY!r}]\n"
        "assert not heavy, heavy\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_version(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "specgen", "--version"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == (f"specgen {__version__}\n", "")
