"""The newest finished run is the same one for the command line as for the stages that work on its file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runtime.deployment.made_files import HBIR_FILE, find_made
from runtime.errors import RunError
from runtime.training.run_directory import file_digest
from runtime.training.trained_runs import find_trained
from specgen.experiment import Experiment
from specgen.ladder import LadderError, ladder
from specgen.stage_state import (
    DamagedRecord,
    made_digest,
    newest_finished,
    newest_made,
    works_on,
)

FINISHED, FAILED = json.dumps({"status": "finished"}), json.dumps({"status": "failed"})
DAMAGED = {
    "": "Expecting value: line 1 column 1 (char 0)",
    "{": "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
    "[]": "not a record",
    "null": "not a record",
}


def make_runs(experiment: Path, *records: str | None, stage: str = "export", file: str = HBIR_FILE) -> None:
    """Runs of a stage, oldest first, each with a file and the text of its record."""
    for number, record in enumerate(records, 1):
        path = experiment / "runs" / f"{number:04d}-{stage}" / file
        path.parent.mkdir(parents=True)
        path.write_text(f"made by {number}")
        if record is not None:
            (experiment / "runs" / f"{number:04d}-{stage}" / "run.json").write_text(record)


@pytest.mark.parametrize(
    ("records", "newest"),
    [
        ([FINISHED], "0001-export"),
        ([FINISHED, FINISHED], "0002-export"),
        ([FINISHED, FAILED], "0001-export"),
        ([FINISHED, None], "0001-export"),  # it has only begun
        (["{", FINISHED], "0002-export"),  # nothing depends on what came before
        ([FINISHED] * 9 + ["{"] + [FINISHED], "0011-export"),
    ],
)
def test_both_find_the_same_run(records: list[str | None], newest: str, tmp_path: Path) -> None:
    make_runs(tmp_path, *records)
    found = newest_finished(Experiment(tmp_path), "export")
    assert found == (tmp_path / "runs" / newest, json.loads(FINISHED))
    made = find_made(tmp_path, "export", HBIR_FILE)
    assert made == newest_made(Experiment(tmp_path), "export") == tmp_path / "runs" / newest / HBIR_FILE
    assert made_digest(Experiment(tmp_path), "export") == file_digest(made)


@pytest.mark.parametrize("text", DAMAGED)
def test_both_tell_of_a_damaged_record_that_may_be_the_newest(text: str, tmp_path: Path) -> None:
    make_runs(tmp_path, FINISHED, text, FAILED)
    told = (
        f"{tmp_path / 'runs' / '0002-export' / 'run.json'}: error: not readable ({DAMAGED[text]})\n"
        "hint: remove this run's folder"
    )
    for read in (newest_finished, newest_made, made_digest):
        with pytest.raises(DamagedRecord) as caught:
            read(Experiment(tmp_path), "export")
        assert str(caught.value) == told
    with pytest.raises(RunError) as refused:
        find_made(tmp_path, "export", HBIR_FILE)
    assert str(refused.value) == told


def test_weights_are_found_in_the_same_way(tmp_path: Path) -> None:
    best = "checkpoints/best.safetensors"
    make_runs(tmp_path, FINISHED, FINISHED, stage="float", file=best)
    assert find_trained(tmp_path, "float") == newest_made(Experiment(tmp_path), "float")
    (tmp_path / "runs" / "0002-float" / "run.json").write_text("{")
    with pytest.raises(RunError) as refused:
        find_trained(tmp_path, "float")
    with pytest.raises(DamagedRecord) as caught:
        newest_made(Experiment(tmp_path), "float")
    assert str(refused.value) == str(caught.value)


def test_runs_of_other_names_do_not_count(tmp_path: Path) -> None:
    make_runs(tmp_path, FINISHED)
    for name in ("0002-predict-export", "3-export", "0004x-export"):
        (tmp_path / "runs" / name).mkdir()
        (tmp_path / "runs" / name / "run.json").write_text("{")
    assert newest_made(Experiment(tmp_path), "export") == find_made(tmp_path, "export", HBIR_FILE)


def test_a_file_that_is_gone_is_not_the_newest(tmp_path: Path) -> None:
    make_runs(tmp_path, FINISHED, FINISHED)
    (tmp_path / "runs" / "0002-export" / HBIR_FILE).unlink()
    assert newest_made(Experiment(tmp_path), "export") == find_made(tmp_path, "export", HBIR_FILE)
    assert newest_made(Experiment(tmp_path), "int_infer") is None  # makes none


def test_what_a_file_was_made_of_is_told_by_any_run_that_made_it(tmp_path: Path) -> None:
    made = {
        "status": "finished",
        "outputs": {HBIR_FILE: "a" * 64},
        "inputs": {"calibration": {"digest": "c" * 64}},
    }
    make_runs(tmp_path, json.dumps(made), "{")
    run = {"inputs": {"export": {"digest": "a" * 64}}}
    found = works_on(Experiment(tmp_path), "int_infer", run)
    assert found == {"export": "a" * 64, "calibration": "c" * 64}


def test_the_ladder_is_told_of_it(tmp_path: Path) -> None:
    with pytest.raises(LadderError):
        ladder(Experiment(tmp_path))
    make_runs(tmp_path, FINISHED, "{", stage="int_infer")
    with pytest.raises(DamagedRecord):
        ladder(Experiment(tmp_path))
