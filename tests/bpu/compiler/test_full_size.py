"""The full-size model, as the benchmark compiles it: slow."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.slow
def test_the_full_size_model_compiles_in_time_and_lies_close() -> None:
    """Under a minute, and at most 1.15 times the most bytes that live at one time."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.compile_time", "--march", "bayes", "bayes-e"],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [line.split() for line in done.stdout.splitlines()[1:]]
    assert len(rows) == 2 * 3 * 2
    for row in rows:
        seconds, ratio = float(row[3]), float(row[8])
        assert seconds < 60, row
        assert ratio <= 1.15, row
    cycles = {tuple(row[:3]): float(row[9]) for row in rows}
    moved = {tuple(row[:3]): float(row[5]) for row in rows}
    for march in ("bayes", "bayes-e"):
        assert cycles[march, "2", "latency"] < cycles[march, "1", "latency"] < cycles[march, "0", "latency"]
        assert moved[march, "2", "ddr"] < moved[march, "1", "ddr"] <= moved[march, "0", "ddr"]
        assert moved[march, "2", "ddr"] <= moved[march, "2", "latency"]
