"""`specgen run` without `--stage`: which stages it repeats. The stages are scripts that train nothing."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runtime.bpu import march as march_files
from runtime.bpu.march import load_march
from runtime.bpu.march_digest import march_digest
from specgen import __version__
from specgen.cli.run import _inputs
from specgen.emit.lock import LOCK, digest, lock_text
from specgen.experiment import Experiment
from specgen.stage_state import DamagedRecord, is_current

Run = Callable[..., Any]

# What a stage makes is the text of `<stage>.txt` and, after it, what it started from.
STAGE = """
import hashlib, json, pathlib, sys

def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()

experiment, stage = pathlib.Path(__file__).parents[1], pathlib.Path(__file__).stem
text = (experiment.parents[1] / f"{stage}.txt").read_text()
if text == "fail":
    sys.exit(3)
given = [word for word in sys.argv[1:] if (stage, word) != ("check", "--strict")]
if stage in ("export", "check", "compile") and given:
    sys.exit(2)
number = 1 + len(list(experiment.glob("runs/*")))
run = experiment / "runs" / f"{number:04d}-{stage}"
(run / "checkpoints").mkdir(parents=True)
inputs = {"val": {"split": "val", "num_samples": 4, "digest": "d" * 64}}
sources = {"calibration": "float", "qat": "calibration", "export": "calibration", "int_infer": "export"}
sources |= {"compile": "export", "align_bpu": "compile"}
files = {"export": "model.hbir.onnx", "compile": "model.hbm", "check": "check.json"}
source = sources.get(stage)
if source is not None:
    made = max(experiment.glob(f"runs/*-{source}")) / files.get(source, "checkpoints/best.safetensors")
    inputs[source] = {"digest": sha256(made)}
    text += made.read_text()
if stage in ("check", "compile", "align_bpu"):
    inputs["march"] = {"digest": (experiment.parents[1] / "march.txt").read_text()}
output = files.get(stage, "checkpoints/best.safetensors")
(run / output).write_text(text)
steps = int(sys.argv[sys.argv.index("--num-steps") + 1]) if "--num-steps" in sys.argv else None
record = {
    "stage": stage,
    "status": "finished",
    "lock": sha256(experiment / "experiment.lock"),
    "options": {"num_steps": steps, "device": None},
    "inputs": inputs,
    "outputs": {output: sha256(run / output)},
    "metrics": {"best": {"metrics": {"bev_det": {"NDS": 0.5}}}},
}
if stage in ("export", "check", "compile"):
    record |= {"options": {}, "metrics": {}}
if stage == "check":
    record |= {"options": {"strict": "--strict" in sys.argv}}
if stage in ("int_infer", "align_bpu"):
    record |= {"options": {"device": None}}
(run / "run.json").write_text(json.dumps(record))
"""
SPEC = """
march: bayes
model: {}
data: {}
stages:
  float: {}
  calibration:
    model_convert_pipeline:
      converters:
        - {type: LoadCheckpoint, checkpoint_path: null, stage: float}
        - {type: Float2Calibration}
  qat:
    model_convert_pipeline:
      converters:
        - {type: Float2QAT}
        - {type: LoadCheckpoint, stage: calibration}
        - {type: LoadCheckpoint, checkpoint_path: other.safetensors, stage: null}
  export:
    model_convert_pipeline:
      converters:
        - {type: Float2Calibration}
        - {type: LoadCheckpoint, stage: calibration}
  int_infer: {}
  check:
    march: march
    model_convert_pipeline:
      converters:
        - {type: Float2Calibration}
  compile: {march: march}
  align_bpu: {march: march}
"""
STAGES = ("float", "calibration", "qat", "export", "int_infer", "check", "compile", "align_bpu")
AFTER_EXPORT = ["int_infer", "compile", "align_bpu"]
NOTHING = {"num_steps": None, "device": None}


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    folder = tmp_path / "experiments" / "toy"
    (folder / "stages").mkdir(parents=True)
    (folder / "spec.yaml").write_text(SPEC)
    for stage in STAGES:
        (folder / "stages" / f"{stage}.py").write_text(STAGE)
        (tmp_path / f"{stage}.txt").write_text(stage)
    (tmp_path / "march.txt").write_text(march_digest(load_march("bayes")))
    files = {
        path.relative_to(folder).as_posix(): digest(path.read_text())
        for path in sorted(folder.rglob("*.*"))
        if path.is_file()
    }
    text = lock_text(version=__version__, spec="toy", sets=(), tables={"files": files})
    (folder / LOCK).write_text(text)
    return Experiment(folder=folder.resolve())


def repeated(run: Run, experiment: Experiment, *arguments: str) -> list[str]:
    """The stages that `specgen run` runs; of all others it says that they are up to date."""
    before = set(experiment.folder.glob("runs/*"))
    done = run("run", *arguments)
    assert done.status == 0, done.err
    new = {path.name.partition("-")[2] for path in set(experiment.folder.glob("runs/*")) - before}
    expected = [f"stage `{stage}` is up to date" for stage in STAGES if stage not in new]
    assert [line for line in done.err.splitlines() if "up to date" in line] == expected
    assert "against float" in done.out  # the ladder ends it
    return [stage for stage in STAGES if stage in new]


def test_a_later_stage_follows_the_weights_it_started_from(
    run: Run, experiment: Experiment, tmp_path: Path
) -> None:
    assert repeated(run, experiment) == list(STAGES)
    assert repeated(run, experiment) == []

    assert run("run", "--stage", "float").status == 0  # the same weights once more
    assert repeated(run, experiment) == []

    (tmp_path / "calibration.txt").write_text("other scales")
    assert run("run", "--stage", "calibration").status == 0
    assert repeated(run, experiment) == ["qat", "export", *AFTER_EXPORT]

    (tmp_path / "float.txt").write_text("better")
    assert run("run", "--stage", "float").status == 0
    assert repeated(run, experiment) == ["calibration", "qat", "export", *AFTER_EXPORT]
    assert repeated(run, experiment) == []
    # Steps are for the stages that take them; the others are as they were.
    assert repeated(run, experiment, "--num-steps", "2") == ["float", "calibration", "qat"]

    (tmp_path / "export.txt").write_text("another version")
    assert run("run", "--stage", "export").status == 0
    assert repeated(run, experiment, "--num-steps", "2") == AFTER_EXPORT
    (tmp_path / "compile.txt").write_text("another version")
    assert run("run", "--stage", "compile").status == 0
    assert repeated(run, experiment, "--num-steps", "2") == ["align_bpu"]


def test_check_needs_no_other_stage(run: Run, experiment: Experiment) -> None:
    assert _inputs(experiment, "check") == {"march": march_digest(load_march("bayes"))}
    assert run("run", "--stage", "check").status == 0
    assert repeated(run, experiment) == [stage for stage in STAGES if stage != "check"]
    assert repeated(run, experiment) == []
    # Of a spec that has changed, the network may be another one.
    (experiment.folder / LOCK).write_text((experiment.folder / LOCK).read_text() + "\n")
    assert repeated(run, experiment) == list(STAGES)


def test_what_is_for_a_chip_follows_its_march(
    run: Run, experiment: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert repeated(run, experiment) == list(STAGES)
    marches = Path(shutil.copytree(march_files.MARCHES, tmp_path / "marches"))
    monkeypatch.setattr(march_files, "MARCHES", marches)
    document = json.loads((marches / "bayes.json").read_text())
    document["clock_ghz"]["reason"] = "said by another page"
    (marches / "bayes.json").write_text(json.dumps(document))
    assert repeated(run, experiment) == []

    document["memory"]["on_chip_bytes"]["value"] *= 2
    (marches / "bayes.json").write_text(json.dumps(document))
    (tmp_path / "march.txt").write_text(march_digest(load_march("bayes")))
    assert repeated(run, experiment) == ["check", "compile", "align_bpu"]
    assert repeated(run, experiment) == []

    (marches / "bayes.json").write_text("{")
    assert _inputs(experiment, "check") == {"march": "missing"}


def test_a_strict_check_is_recorded(run: Run, experiment: Experiment) -> None:
    assert run("run", "--stage", "check", "--strict").status == 0
    (record,) = experiment.folder.glob("runs/*-check/run.json")
    assert json.loads(record.read_text())["options"] == {"strict": True}


def test_a_later_stage_whose_weights_come_out_the_same_spares_the_next_one(
    run: Run, experiment: Experiment, tmp_path: Path
) -> None:
    assert repeated(run, experiment) == list(STAGES)
    harmed = next(experiment.folder.glob("runs/*-calibration/run.json"))
    harmed.write_text("{")
    assert repeated(run, experiment) == ["calibration"]


def test_a_damaged_record_is_told_and_its_stage_repeated(run: Run, experiment: Experiment) -> None:
    """An older run that is up to date is no reason to go on with it: later stages would not find it."""
    assert repeated(run, experiment) == list(STAGES)
    assert run("run", "--stage", "export").status == 0
    harmed = max(experiment.folder.glob("runs/*-export/run.json"))
    harmed.write_text("{")
    with pytest.raises(DamagedRecord):
        run("ladder")
    done = run("run")
    assert done.status == 0
    assert f"warning: `{harmed}` is damaged: stage `export` runs again\n" in done.err
    assert [line.split("`")[1] for line in done.err.splitlines() if "up to date" in line] == [
        stage for stage in STAGES if stage != "export"
    ]
    assert "against float" in done.out
    assert repeated(run, experiment) == []


def test_a_stage_that_fails_ends_the_command(run: Run, experiment: Experiment, tmp_path: Path) -> None:
    (tmp_path / "calibration.txt").write_text("fail")
    assert run("run").status == 3
    assert [path.name for path in experiment.folder.glob("runs/*")] == ["0001-float"]


def test_inputs_are_the_stages_that_weights_come_from(
    run: Run, experiment: Experiment, tmp_path: Path
) -> None:
    assert _inputs(experiment, "float") == {}
    assert _inputs(experiment, "calibration") == {"float": "missing"}
    assert not is_current(experiment, "calibration", NOTHING, {"float": "missing"})
    assert run("run").status == 0
    weights = hashlib.sha256(b"float").hexdigest()
    assert _inputs(experiment, "calibration") == {"float": weights}
    assert _inputs(experiment, "qat") == {"calibration": hashlib.sha256(b"calibrationfloat").hexdigest()}
    assert is_current(experiment, "calibration", NOTHING, {"float": weights})
    assert not is_current(experiment, "calibration", NOTHING, {"float": "0" * 64})
    assert not is_current(experiment, "calibration", {**NOTHING, "num_steps": 1}, {"float": weights})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("run", "--stage", "export", "--num-steps", "3"),
            "`--num-steps` is for the stages `float`, `calibration`, `qat`, not for `export`",
        ),
        (("run", "--stage", "int_infer", "--resume"), "`--resume` is for the stages `float`, `calibration`"),
        (("run", "--stage", "export", "--device", "cpu"), "`--device` is for the stages `float`"),
        (("run", "--stage", "check", "--device", "cpu"), "not for `check`"),
        (("run", "--stage", "compile", "--num-steps", "3"), "not for `compile`"),
        (("run", "--stage", "compile", "--strict"), "about the verdict of `--stage check`, and goes with it"),
        (("run", "--strict"), "about the verdict of `--stage check`, and goes with it"),
        (("predict", "--stage", "compile"), "the stage `compile` evaluates nothing"),
        (("predict", "--stage", "align_bpu", "--untrained"), "judges a file and has no initial weights"),
        (("predict", "--stage", "export"), "the stage `export` evaluates nothing"),
        (("predict", "--stage", "int_infer", "--untrained"), "judges a file and has no initial weights"),
    ],
)
def test_options_of_other_stages_are_refused(
    run: Run, experiment: Experiment, arguments: tuple[str, ...], said: str
) -> None:
    done = run(*arguments)
    assert done.status == 2
    assert said in " ".join(done.err.split())
    assert not list(experiment.folder.glob("runs/*"))
