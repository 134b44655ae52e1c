"""The README's path in small: world, pack, build, check, train, calibrate, QAT, export, integer inference,
compile, align, predict, each in its own process."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]


def specgen(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "specgen", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def project(packed_world) -> Path:  # type: ignore[no-untyped-def]
    """A project folder with the packed world and the tiny experiment: checked, trained for four steps,
    calibrated on one batch, trained in fixed point for two steps; exported as calibrated, evaluated from the
    file, compiled, and evaluated as the chip runs it."""
    folder = packed_world.project
    shutil.copytree(ROOT / "specs", folder / "specs")
    # The analysis of a calibration is a forward pass for every tensor: minutes, on one core.
    short = ("--set", "stages.calibration.analysis_samples=0")
    built = specgen("build", "specs/bev_ipm_tiny.yaml", *short, cwd=folder)
    assert built.returncode == 0, built.stderr
    check = specgen("run", "--stage", "check", cwd=folder)
    assert check.returncode == 0, check.stderr
    for stage, steps in (("float", "4"), ("calibration", "1"), ("qat", "2")):
        done = specgen("run", "--stage", stage, "--num-steps", steps, cwd=folder)
        assert done.returncode == 0, done.stderr
    for stage in ("export", "int_infer", "compile", "align_bpu"):
        done = specgen("run", "--stage", stage, cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder


def record_of(project: Path, stage: str) -> dict[str, Any]:
    """`run.json` of the newest run of a stage."""
    records = (project / "experiments" / "bev_ipm_tiny" / "runs").glob(
        f"[0-9][0-9][0-9][0-9]-{stage}/run.json"
    )
    return json.loads(max(records).read_text(encoding="utf-8"))


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
    pictures = list((project / "experiments" / "bev_ipm_tiny" / "runs").glob("*predict-float/**/*.png"))
    assert len(pictures) == 1 and pictures[0].stat().st_size > 50_000


def test_the_network_is_checked_before_anything_is_trained(project: Path) -> None:
    run = project / "experiments" / "bev_ipm_tiny" / "runs" / "0001-check"
    assert json.loads((run / "run.json").read_text(encoding="utf-8"))["inputs"].keys() == {"march"}
    report = json.loads((run / "check.json").read_text(encoding="utf-8"))
    assert (report["march"], report["verdict"]) == ("bayes-e", "fits")


def test_each_stage_starts_from_the_weights_of_the_one_before(project: Path) -> None:
    for before, stage in (("float", "calibration"), ("calibration", "qat")):
        record = record_of(project, stage)
        weights = project / "experiments" / "bev_ipm_tiny" / record["inputs"][before]["checkpoint"]
        assert weights.parts[-3].endswith(f"-{before}")
        assert record["inputs"][before]["digest"] == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert record_of(project, "calibration")["metrics"]["best"]["step"] == 1
    assert record_of(project, "qat")["metrics"]["best"]["step"] == 2


def test_predict_repeats_the_fixed_point_metrics_of_the_run(project: Path) -> None:
    done = specgen("predict", "--stage", "calibration", "--json", cwd=project)
    assert done.returncode == 0, done.stderr
    metrics = record_of(project, "calibration")["metrics"]["best"]["metrics"]
    assert json.loads(done.stdout)["metrics"] == metrics


def test_the_ladder_has_a_rung_for_each_stage(project: Path) -> None:
    done = specgen("ladder", "--json", cwd=project)
    assert (done.returncode, done.stderr) == (0, "")
    shown = json.loads(done.stdout)
    assert (shown["experiment"], shown["split"], shown["num_samples"]) == ("bev_ipm_tiny", "val", 4)
    assert [rung["stage"] for rung in shown["rungs"]] == [
        *("float", "calibration", "qat", "int_infer", "align_bpu")
    ]
    for rung in shown["rungs"]:
        metrics = record_of(project, rung["stage"])["metrics"]["best"]["metrics"]
        assert rung["metrics"] == {**metrics["bev_det"], **metrics["bev_seg"]} and rung["stale"] == []


def test_file_and_program_give_the_bits_of_calibration(project: Path) -> None:
    shown = json.loads(specgen("ladder", "--json", cwd=project).stdout)
    rungs = {rung["stage"]: rung for rung in shown["rungs"]}
    for stage in ("int_infer", "align_bpu"):
        assert rungs[stage]["outputs"] == rungs["calibration"]["outputs"] != rungs["qat"]["outputs"]
        assert rungs[stage]["metrics"] == rungs["calibration"]["metrics"]
    assert len(rungs["int_infer"]["outputs"]) == 64 and rungs["float"]["outputs"] is None
    # What is evaluated again has the same bits again.
    for stage in ("int_infer", "align_bpu"):
        done = specgen("predict", "--stage", stage, "--json", "--pictures", "1", cwd=project)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["output_digest"] == rungs["calibration"]["outputs"]
        assert len(list(project.glob(f"experiments/*/runs/*-predict-{stage}/pictures/*.png"))) == 1


def test_the_ladder_ends_with_the_predicted_speed(project: Path) -> None:
    recorded = record_of(project, "compile")["performance"]
    predicted = json.loads(specgen("ladder", "--json", cwd=project).stdout)["predicted"]
    assert {key: predicted[key] for key in ("latency_us", "fps", "error")} == {
        key: recorded[key] for key in ("latency_us", "fps", "error")
    }
    text = specgen("ladder", cwd=project).stdout
    assert f"\nbayes-e, predicted by {record_of(project, 'compile')['run']}: " in text
    assert f"\n  error  {recorded['error']}\n" in text
    performance = (project / "experiments" / "bev_ipm_tiny" / "runs" / predicted["run"]) / "performance.txt"
    assert recorded["error"] in performance.read_text(encoding="utf-8")


def test_the_commands_that_read_an_export_take_the_experiment(project: Path) -> None:
    executors = ("torch:bev_ipm_tiny", "onnxruntime:bev_ipm_tiny")
    for command in (("inspect", "--json"), ("debug", "--first-difference", *executors)):
        done = specgen(*command, cwd=project)
        assert done.returncode == 0, done.stderr


def test_a_finished_stage_is_run_again_only_when_something_changed(project: Path) -> None:
    again = specgen("run", "--num-steps", "4", cwd=project)
    assert again.returncode == 0, again.stderr
    # Calibration has one batch only: the same scales once more, which export to the same file.
    assert [line for line in again.stderr.splitlines() if "up to date" in line] == [
        f"stage `{stage}` is up to date" for stage in ("float", "int_infer", "check", "compile", "align_bpu")
    ]
    assert record_of(project, "calibration")["options"]["num_steps"] == 4
    assert record_of(project, "qat")["metrics"]["last"]["step"] == 4
    assert again.stdout.count("against float") == 4
    exports = list((project / "experiments" / "bev_ipm_tiny" / "runs").glob("*-export/model.hbir.onnx"))
    first, second = (hashlib.sha256(path.read_bytes()).hexdigest() for path in exports)
    assert first == second == record_of(project, "int_infer")["inputs"]["export"]["digest"]
    weights = next(
        (project / "experiments" / "bev_ipm_tiny" / "runs").glob("*-float/checkpoints/best.safetensors")
    )
    kept = weights.read_bytes()
    weights.write_bytes(kept[:-1])
    damaged = specgen("run", "--num-steps", "1", "--device", "nonsense", cwd=project)
    weights.write_bytes(kept)
    assert "up to date" not in damaged.stderr
    assert damaged.returncode == 1 and "nonsense" in damaged.stderr


def test_what_is_up_to_date_is_skipped(project: Path) -> None:
    runs = project / "experiments" / "bev_ipm_tiny" / "runs"
    assert specgen("run", "--num-steps", "4", cwd=project).returncode == 0
    before = sorted(runs.iterdir())
    again = specgen("run", "--num-steps", "4", cwd=project)
    assert (again.returncode, sorted(runs.iterdir())) == (0, before)
    stages = ("float", "calibration", "qat", "export", "int_infer", "check", "compile", "align_bpu")
    assert again.stderr.splitlines() == [f"stage `{stage}` is up to date" for stage in stages]
    assert again.stdout == specgen("ladder", cwd=project).stdout


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
        (("run", "--stage", "compile", "--device", "cpu"), "not for `compile`"),
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
