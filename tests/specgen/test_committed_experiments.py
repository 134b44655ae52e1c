"""The experiments in the repository are what their specs build: showcase and golden record in one."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from specgen.pipeline import CompiledSpec, generated
from specgen.write import difference

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(path.stem for path in (ROOT / "specs").glob("*.yaml"))


def test_all_ready_specs_are_built() -> None:
    assert NAMES == ["bev_ipm", "bev_ipm_tiny"]
    assert sorted(path.parent.name for path in (ROOT / "experiments").glob("*/experiment.lock")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_nothing_has_drifted(compile_spec: Callable[..., CompiledSpec], name: str) -> None:
    experiment = generated(compile_spec(f"specs/{name}.yaml"))
    assert experiment.name == name
    diff = difference(ROOT / "experiments" / name, experiment.files)
    assert not diff, f"{diff}\nrun `specgen build specs/{name}.yaml` and read the diff"


@pytest.mark.parametrize("name", NAMES)
def test_every_stage_builds_its_component(name: str) -> None:
    """All that a stage imports exists and takes the arguments that are written; no model, no data yet."""
    script = (
        "import runpy, sys\n"
        "from pathlib import Path\n"
        "for stage in sorted(Path(sys.argv[1], 'stages').glob('*.py')):\n"
        "    functions = runpy.run_path(str(stage))\n"
        "    (build,) = (name for name in functions if name.startswith('build_') and name != 'build_model')\n"
        "    print(stage.stem, type(functions[build]()).__name__)\n"
    )
    command = [sys.executable, "-c", script, str(ROOT / "experiments" / name)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "align_bpu BpuPredictor",
        "calibration Calibrator",
        "check ModelChecker",
        "compile HbmCompiler",
        "export HbirExporter",
        "float DistributedDataParallelTrainer",
        "int_infer HbirPredictor",
        "qat DistributedDataParallelTrainer",
    ]
