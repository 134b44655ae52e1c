"""`specgen data export-sample` and `specgen infer`, as a user calls them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]


def specgen(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "specgen", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, env=environment)


@pytest.fixture(scope="module")
def project(packed_world: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the packed world, the tiny experiment and a model of it with random weights."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "specs", folder / "specs")
    (folder / "tmp_data").symlink_to(packed_world.packs.parent, target_is_directory=True)
    built = specgen("build", "specs/bev_ipm_tiny.yaml", cwd=folder)
    assert built.returncode == 0, built.stderr
    script = [sys.executable, str(Path(__file__).with_name("export_untrained.py"))]
    subprocess.run([*script, "experiments/bev_ipm_tiny", "model.hbir.onnx"], cwd=folder, check=True)
    return folder


def test_a_sample_written_out_gives_what_the_pack_gives(project: Path) -> None:
    """From another folder than the project's, with relative paths."""
    here = project / "elsewhere"
    here.mkdir()
    experiment, model = "../experiments/bev_ipm_tiny", ("--model", "../model.hbir.onnx")
    written = specgen("data", "export-sample", experiment, "--sample", "1", "--out", "shot", cwd=here)
    assert written.returncode == 0, written.stderr
    assert written.stdout.splitlines()[-1] == str(here / "shot" / "calibration.json")
    results = []
    for inputs, folder in (("img:shot", "by folder"), ("sample:1", "by sample")):
        done = specgen(
            *("infer", experiment, "--model-inputs", inputs, "--save-path", folder),
            *(*model, "--json", "--device", "cpu", "--threads", "1"),
            cwd=here,
        )
        assert done.returncode == 0, done.stderr
        results.append(json.loads(done.stdout))
        assert results[-1] == json.loads((here / folder / "result.json").read_text())
        names = sorted(path.name for path in (here / folder).iterdir())
        assert names == ["map-bev_seg.png", "picture.png", "result.json"]
    kinds = [result.pop("inputs")["kind"] for result in results]
    assert kinds == ["folder", "packed sample"]
    assert results[0]["output_digest"] == results[1]["output_digest"]
    assert results[0]["tasks"]["bev_seg"] == results[1]["tasks"]["bev_seg"]
    for name in ("picture.png", "map-bev_seg.png"):
        assert (here / "by folder" / name).read_bytes() == (here / "by sample" / name).read_bytes()
    assert {"lock", "versions", "experiment", "device"} <= results[0].keys()
    assert len(results[0]["model"]["digest"]) == 64


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("--model-inputs", "sample:0"), 1, "no run of stage `export` has finished"),
        (("--model-inputs", "shot", "--model", "model.hbir.onnx"), 1, "`shot` names no sample"),
        (("--model-inputs", "img:none", "--model", "model.hbir.onnx"), 1, "none: error: no such folder"),
        (("--model-inputs", "sample:0", "--model", "specs/bev_ipm.yaml"), 1, "bev_ipm.yaml: error: "),
        (
            ("--model-inputs", "sample:0", "--model", "model.hbir.onnx", "--device", "tpu"),
            1,
            "`tpu` is not a",
        ),
        (("--model-inputs", "sample:0", "--score", "2"), 2, "--score"),
        ((), 2, "--model-inputs"),
    ],
)
def test_mistakes_get_one_message(project: Path, arguments: tuple[str, ...], status: int, said: str) -> None:
    done = specgen("infer", *arguments, "--save-path", "out", cwd=project)
    assert done.returncode == status
    assert said in done.stderr and "Traceback" not in done.stderr
    assert done.stdout == "" and not (project / "out").exists()


def test_an_experiment_that_was_changed_is_refused(project: Path, tmp_path: Path) -> None:
    changed = tmp_path / "experiments" / "bev_ipm_tiny"
    shutil.copytree(project / "experiments" / "bev_ipm_tiny", changed)
    shutil.copytree(project / "specs", tmp_path / "specs")
    (changed / "augment.py").write_text((changed / "augment.py").read_text() + "\n# mine\n")
    done = specgen("infer", "--model-inputs", "sample:0", "--save-path", "out", cwd=tmp_path)
    assert done.returncode == 1
    assert "`--unlocked` runs it as it is and says so in `result.json`" in done.stderr
