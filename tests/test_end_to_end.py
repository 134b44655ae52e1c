"""The README's path in small: world, pack, build, train, resume, predict, each in its own process."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def specgen(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "specgen", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def project(packed_world) -> Path:  # type: ignore[no-untyped-def]
    """A project folder with the packed world and the tiny experiment, trained for four steps."""
    folder = packed_world.project
    shutil.copytree(ROOT / "specs", folder / "specs")
    built = specgen("build", "specs/bev_ipm_tiny.yaml", cwd=folder)
    assert built.returncode == 0, built.stderr
    trained = specgen("run", "--stage", "float", "--num-steps", "4", cwd=folder)
    assert trained.returncode == 0, trained.stderr
    return folder


def test_run_records_what_it_did(project: Path) -> None:
    (record,) = (project / "experiments" / "bev_ipm_tiny" / "runs").glob("*-float/run.json")
    run = json.loads(record.read_text(encoding="utf-8"))
    assert run["status"] == "finished"
    assert run["stage"] == "float"
    assert len(run["lock"]) == 64
    assert "NDS" in run["metrics"]["best"]["metrics"]["bev_det"]
    assert "mIoU" in run["metrics"]["best"]["metrics"]["bev_seg"]
    assert all((record.parent / name).is_file() for name in run["outputs"])


def test_predict_prints_metrics_and_draws(project: Path) -> None:
    done = specgen("predict", "--stage", "float", "--pictures", "1", "--json", cwd=project)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["split"] == "val" and result["num_samples"] == 4
    assert 0.0 <= result["metrics"]["bev_det"]["NDS"] <= 1.0
    pictures = list((project / "experiments" / "bev_ipm_tiny" / "runs").glob("*predict*/**/*.png"))
    assert len(pictures) == 1 and pictures[0].stat().st_size > 50_000


def test_a_finished_stage_is_run_again_only_when_something_changed(project: Path) -> None:
    again = specgen("run", "--num-steps", "4", cwd=project)
    assert again.returncode == 0
    assert "stage `float` is up to date" in again.stderr
    weights = next(
        (project / "experiments" / "bev_ipm_tiny" / "runs").glob("*-float/checkpoints/best.safetensors")
    )
    kept = weights.read_bytes()
    weights.write_bytes(kept[:-1])
    damaged = specgen("run", "--num-steps", "1", "--device", "nonsense", cwd=project)
    weights.write_bytes(kept)
    assert "up to date" not in damaged.stderr
    assert damaged.returncode == 1 and "nonsense" in damaged.stderr


def test_calops_counts_the_view_transform(project: Path) -> None:
    done = specgen("calops", "--json", cwd=project)
    assert done.returncode == 0, done.stderr
    counted = json.loads(done.stdout)
    rows = {row["name"]: row for row in counted["modules"]}
    assert rows["view_transformer"]["macs"] > 0
    assert counted["total"]["macs"] == sum(row["macs"] for name, row in rows.items() if "." not in name)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "nowhere", "--stage", "float"), "is not an experiment"),
        (("run", "--stage", "flaot"), "is not a stage"),
        (("run", "--stage", "export"), "no stage `export` that this version can run"),
        (("predict", "--checkpoint", "missing.safetensors"), "missing.safetensors"),
        (("data", "pack", "--src-data-dir", "none", "--target-data-dir", "x", "--split-name", "val"), "none"),
        (("data", "verify", "tmp_data/nuscenes/v1.0-trainval/absent_lmdb"), "absent_lmdb"),
    ],
)
def test_mistakes_get_one_message(project: Path, arguments: tuple[str, ...], said: str) -> None:
    done = specgen(*arguments, cwd=project)
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
