import json
import multiprocessing
from functools import partial
from pathlib import Path

import pytest
from toy_parts import ToyModel, toy_trainer, train_loader

from runtime.errors import RunError
from runtime.training.run_directory import RunDirectory, create_run, file_digest, find_runs
from runtime.training.stage_arguments import NEWEST, parse_stage_arguments
from runtime.training.stage_entry import run_stage


def run(experiment: Path, *argv: str, build=toy_trainer) -> int:
    with pytest.raises(SystemExit) as ended:
        run_stage(stage="float", experiment=experiment, build_trainer=build, argv=list(argv))
    return ended.value.code


def test_a_run_leaves_its_record(experiment, capsys):
    assert run(experiment, "--device", "cpu", "--threads", "1") == 0
    folder = experiment / "runs" / "0001-float"
    record = json.loads((folder / "run.json").read_text())
    assert record["status"] == "finished" and record["stage"] == "float" and record["experiment"] == "toy"
    assert record["lock"] == file_digest(experiment / "experiment.lock")
    assert record["seed"] == 3 and record["device"] == "cpu (1 threads)"
    assert record["inputs"]["train"] == {"split": "toy-val", "num_samples": 8, "digest": "d1ce"}
    assert set(record["versions"]) >= {"python", "torch", "lightning", "numpy"}
    best = "checkpoints/best.safetensors"
    assert record["outputs"][best] == file_digest(folder / best)
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics == record["metrics"] and metrics["last"]["step"] == 12
    captured = capsys.readouterr()
    assert captured.out == ""
    log = (folder / "log.txt").read_text()
    for line in captured.err.splitlines():
        assert line in log
    assert "samples/s" in log and "data wait" in log and "ETA" in log and "toy/loss_abs" in log


def test_predict_evaluates_the_latest_finished_run(experiment, capsys):
    assert run(experiment) == 0
    trained = json.loads((experiment / "runs" / "0001-float" / "metrics.json").read_text())["best"]["metrics"]
    capsys.readouterr()
    assert run(experiment, "--predict") == 0
    best = experiment / "runs" / "0001-float" / "checkpoints" / "best.safetensors"
    captured = capsys.readouterr()
    assert captured.out == (
        f"stage float, weights {best}\n"
        "split toy-val, 6 samples, data d1ce\n"
        "\n"
        "toy\n"
        f"  NDS     {trained['toy']['NDS']:.4f}\n"
        "  AP car  0.5000\n"
    )
    folder = experiment / "runs" / "0002-predict-float"
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["metrics"]["toy"]["NDS"] == pytest.approx(trained["toy"]["NDS"])
    record = json.loads((folder / "run.json").read_text())
    assert record["inputs"] == {"checkpoint": str(best), "checkpoint_sha256": file_digest(best)}


def test_predict_as_json_and_untrained(experiment, capsys):
    assert run(experiment, "--predict", "--untrained", "--json", "--num-samples", "4") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["num_samples"] == 4 and report["checkpoint"] is None and report["data_digest"] == "d1ce"


def test_predict_before_training_says_what_to_do(experiment, capsys):
    assert run(experiment, "--predict") == 1
    assert capsys.readouterr().err == (
        f"{experiment}: error: stage `float` has not been trained\n"
        f"hint: train it with `specgen run {experiment} --stage float`\n"
    )
    assert find_runs(experiment) == []


def test_predict_of_an_unfinished_run_offers_both_ways(experiment, capsys):
    assert run(experiment, "--num-steps", "4") == 0
    RunDirectory(experiment / "runs" / "0001-float").update(status="interrupted")
    assert run(experiment, "--predict") == 1
    error = capsys.readouterr().err
    assert "no run of stage `float` has finished, the newest, `0001-float`, is interrupted" in error
    assert "--resume`, or evaluate it as it is with `--checkpoint" in error


def test_predict_with_a_checkpoint_of_another_model(experiment, capsys):
    assert run(experiment) == 0
    checkpoint = experiment / "runs" / "0001-float" / "checkpoints" / "best.safetensors"
    capsys.readouterr()
    build = partial(toy_trainer, model=partial(ToyModel, width=16))
    assert run(experiment, "--predict", "--checkpoint", str(checkpoint), build=build) == 1
    error = capsys.readouterr().err
    assert (
        "the weights do not fit the model" in error
        and "backbone.0.weight is (8, 4) in the file, (16, 4)" in error
    )
    assert RunDirectory(experiment / "runs" / "0002-predict-float").record["status"] == "failed"


def test_a_failed_run_tells_and_records(experiment, capsys):
    build = partial(toy_trainer, data_loader=partial(train_loader, poison=2))
    assert run(experiment, build=build) == 1
    captured = capsys.readouterr()
    assert (
        "error: loss is not finite" in captured.err and "token2" in captured.err and "hint: " in captured.err
    )
    assert "Traceback" not in captured.err
    record = RunDirectory(experiment / "runs" / "0001-float").record
    assert record["status"] == "failed" and "token2" in record["error"]


def test_a_programmers_mistake_keeps_its_traceback(experiment):
    def broken():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_stage("float", experiment, partial(toy_trainer, model=broken), [])
    assert RunDirectory(experiment / "runs" / "0001-float").record["status"] == "failed"


def test_steps_of_a_short_run_are_kept_on_resume(experiment, capsys):
    assert run(experiment, "--num-steps", "4") == 0
    RunDirectory(experiment / "runs" / "0001-float").update(status="interrupted")
    folder = experiment / "runs" / "0001-float"
    assert run(experiment, "--resume", "1") == 0
    assert "nothing is left to train" in capsys.readouterr().err
    assert RunDirectory(folder).record["status"] == "finished"
    RunDirectory(folder).update(status="interrupted")
    assert run(experiment, "--resume", "0001-float", "--num-steps", "8") == 0
    assert json.loads((folder / "metrics.json").read_text())["last"]["step"] == 8


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ([], "no unfinished run of stage `float`"),
        (["9"], "no run `9`"),
        (["1"], "run `0001-float` has finished"),
    ],
)
def test_what_cannot_be_resumed(experiment, capsys, wanted, message):
    assert run(experiment, "--num-steps", "1") == 0
    capsys.readouterr()
    assert run(experiment, "--resume", *wanted) == 1
    assert message in capsys.readouterr().err


def test_a_run_that_is_going_on_is_not_touched(experiment, capsys):
    assert run(experiment, "--num-steps", "1") == 0
    folder = experiment / "runs" / "0001-float"
    RunDirectory(folder).update(status="running")
    ready, done = multiprocessing.Event(), multiprocessing.Event()
    other = multiprocessing.get_context("fork").Process(target=_hold, args=(folder, ready, done))
    other.start()
    try:
        assert ready.wait(30)
        assert run(experiment, "--resume") == 1
        assert "this run is still going on" in capsys.readouterr().err
    finally:
        done.set()
        other.join()


def _hold(folder: Path, ready, done) -> None:
    claimed = RunDirectory(folder)
    claimed.claim()
    ready.set()
    done.wait(60)


def test_runs_made_at_once_get_numbers_of_their_own(experiment):
    context = multiprocessing.get_context("fork")
    processes = [
        context.Process(target=create_run, args=(experiment, stage))
        for stage in ("float", "predict-float") * 4
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert sorted(found.number for found in find_runs(experiment)) == list(range(1, 9))
    assert len(find_runs(experiment, "float")) == 4


def test_numbers_go_on_past_a_removed_run_and_ignore_other_folders(experiment):
    create_run(experiment, "float")
    second = create_run(experiment, "float")
    (experiment / "runs" / "0001-float").rmdir()
    (experiment / "runs" / "notes").mkdir()
    assert create_run(experiment, "float").number == second.number + 1


def test_a_damaged_record_is_named(experiment):
    made = create_run(experiment, "float")
    (made.path / "run.json").write_text("{")
    with pytest.raises(RunError, match=r"run\.json: error: not readable"):
        _ = made.record


def test_arguments():
    assert parse_stage_arguments("float", []).resume is None
    assert parse_stage_arguments("float", ["--resume"]).resume == NEWEST
    assert parse_stage_arguments("float", ["--resume", "0007"]).resume == "0007"
    parsed = parse_stage_arguments("float", ["--predict", "--checkpoint", "a.safetensors", "--pictures", "3"])
    assert parsed.predict and parsed.checkpoint == Path("a.safetensors") and parsed.pictures == 3


def test_only_a_stage_that_judges_can_be_strict(capsys):
    assert parse_stage_arguments("check", ["--strict"], learns=False, evaluates=False, judges=True).strict
    for judges in (True, False):
        with pytest.raises(SystemExit, match="0"):
            parse_stage_arguments("check", ["--help"], learns=False, evaluates=False, judges=judges)
        assert ("--strict" in capsys.readouterr().out) == judges


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--pictures", "3"], "--pictures needs --predict"),
        (["--num-samples", "3"], "--num-samples needs --predict"),
        (["--predict", "--resume"], "--predict does not train"),
        (["--predict", "--untrained", "--checkpoint", "a"], "exclude each other"),
        (["--num-steps", "0"], "`0` is not at least 1"),
        (["--wrong"], "unrecognized arguments: --wrong"),
    ],
)
def test_usage_errors_exit_with_two(capsys, argv, message):
    with pytest.raises(SystemExit) as ended:
        parse_stage_arguments("float", argv)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
