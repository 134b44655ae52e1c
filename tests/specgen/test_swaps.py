"""Another backbone is one changed line: everything else follows, the model builds and runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from specgen.pipeline import CompiledSpec, generated
from specgen.write import written

ROOT = Path(__file__).resolve().parents[2]
PLACES = ("model.backbone", "model.bev_encoder.backbone")
SWAPS = [(place, depth) for place in PLACES for depth in (18, 50)]
# Runs the models of several experiments in one process, as importing torch takes longer than they do.
SCRIPT = """
import importlib.util, json, sys
from pathlib import Path
from runtime.models.operation_count import count_operations
result = {}
for folder in map(Path, sys.argv[1:]):
    own = [path.stem for path in folder.glob("*.py")]
    sys.path.insert(0, str(folder))
    model = __import__("model").build_model()
    count = count_operations(model, input_hw=(64, 128), num_views=6)
    result[folder.name] = {row.name: [row.type, list(row.output_shape or ())] for row in count.rows}
    sys.path.pop(0)
    for name in own:
        sys.modules.pop(name, None)
print(json.dumps(result))
"""


def line(place: str, depth: int) -> str:
    return f"{place}={{type: resnet, depth: {depth}}}"


@pytest.mark.parametrize(("place", "depth"), SWAPS)
@pytest.mark.parametrize("spec", ["specs/bev_ipm.yaml", "specs/bev_ipm_tiny.yaml"])
def test_one_line_is_enough(
    compile_spec: Callable[..., CompiledSpec], spec: str, place: str, depth: int
) -> None:
    found = compile_spec(spec, line(place, depth))
    widths = {18: [64, 64, 128, 256, 512], 50: [64, 256, 512, 1024, 2048]}[depth]
    (node,) = [node for node in found.graph.nodes if node.path == tuple(place.split("."))]
    assert node.type == "resnet"
    assert [feature.channels for feature in node.features] == widths


def test_the_models_run(compile_spec: Callable[..., CompiledSpec], tmp_path: Path) -> None:
    folders = []
    for place, depth in SWAPS:
        folder = tmp_path / f"{place}-{depth}"
        written(folder, generated(compile_spec("specs/bev_ipm_tiny.yaml", line(place, depth))).files)
        folders.append(str(folder))
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *folders],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    for place, depth in SWAPS:
        modules = result[f"{place}-{depth}"]
        name = place.removeprefix("model.")
        assert modules[name][0] == "ResNet"
        # The deepest map, of a view of 64 x 128 or of the up-scaled grid of 128 x 128 cells.
        height, width = (2, 4) if name == "backbone" else (4, 4)
        deepest = modules[f"{name}.stages.3"][1]
        assert deepest[-3:] == [{18: 512, 50: 2048}[depth], height, width]
