"""`LoadCheckpoint` by the name of a stage: which run's weights it takes."""

from pathlib import Path

import pytest
import torch
from toy_parts import ToyModel, toy_trainer

from runtime.errors import RunError
from runtime.training.convert import ModelConvertPipeline
from runtime.training.load_checkpoint import LoadCheckpoint
from runtime.training.run_checkpoints import RunCheckpoints
from runtime.training.run_directory import RunDirectory, create_run
from runtime.training.stage_entry import run_stage
from runtime.training.weights_file import save_weights


def made_run(experiment: Path, status: str, value: float | None, *, stage: str = "float") -> RunDirectory:
    run = create_run(experiment, stage)
    run.update(status=status)
    if value is not None:
        run.checkpoints.mkdir()
        weights = {key: torch.full_like(part, value) for key, part in ToyModel().state_dict().items()}
        save_weights(run.checkpoints / "best.safetensors", weights, {})
    return run


@pytest.mark.parametrize("given", [{}, {"checkpoint_path": "a.safetensors", "stage": "float"}])
def test_it_takes_a_path_or_a_stage(given: dict[str, str]) -> None:
    with pytest.raises(ValueError) as caught:
        LoadCheckpoint(**given)  # type: ignore[arg-type]
    path, stage = given.get("checkpoint_path"), given.get("stage")
    assert str(caught.value) == f"checkpoint_path is {path!r} and stage {stage!r}: give one of them"


def test_a_path_needs_no_experiment_and_a_stage_does(tmp_path: Path) -> None:
    file = tmp_path / "a.safetensors"
    file.touch()
    assert LoadCheckpoint(checkpoint_path=str(file)).path(None) == file
    with pytest.raises(RunError) as caught:
        LoadCheckpoint(stage="float")(ToyModel())
    assert str(caught.value) == (
        "error: the weights of the stage `float` are those of an experiment, and none is given"
    )


def test_the_newest_finished_run_with_weights_counts(experiment: Path) -> None:
    made_run(experiment, "finished", 1.0)
    wanted = made_run(experiment, "finished", 2.0)
    made_run(experiment, "finished", None)
    made_run(experiment, "interrupted", 4.0)
    made_run(experiment, "finished", 5.0, stage="calibration")
    made_run(experiment, "finished", None, stage="predict-float")
    load = LoadCheckpoint(stage="float")
    assert load.path(experiment) == wanted.checkpoints / "best.safetensors"
    assert load.load(ToyModel(), experiment).head.bias.item() == 2.0


def test_runs_are_ordered_by_number_not_by_name(experiment: Path) -> None:
    for number in (9999, 10000):
        made = made_run(experiment, "finished", float(number))
        made.path.rename(experiment / "runs" / f"{number}-float")
    model = LoadCheckpoint(stage="float").load(ToyModel(), experiment)
    assert model.head.bias.item() == 10000.0


@pytest.mark.parametrize("resumable", [False, True])
@pytest.mark.parametrize(("value", "offers"), [(None, False), (1.0, True)])
def test_an_unfinished_run_is_told_with_what_to_do(
    experiment: Path, value: float | None, offers: bool, resumable: bool
) -> None:
    run = made_run(experiment, "interrupted", value)
    if resumable:
        RunCheckpoints(run.checkpoints).last.parent.mkdir(exist_ok=True)
        RunCheckpoints(run.checkpoints).last.write_bytes(b"")
    with pytest.raises(RunError) as caught:
        LoadCheckpoint(stage="float").path(experiment)
    best = run.checkpoints / "best.safetensors"
    train = f"specgen run {experiment} --stage float"
    way = f"finish it with `{train} --resume`" if resumable else f"run it again with `{train}`"
    other = f", or evaluate it as it is with `--checkpoint {best}`" if offers else ""
    assert str(caught.value) == (
        f"{experiment}: error: no run of stage `float` has finished, the newest, `{run.path.name}`, is "
        f"interrupted\nhint: {way}{other}"
    )


def test_a_stage_that_finds_no_weights_leaves_a_failed_run(
    experiment: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline = ModelConvertPipeline(converters=[LoadCheckpoint(stage="float")])
    with pytest.raises(SystemExit) as ended:
        run_stage("qat", experiment, lambda: toy_trainer(model_convert_pipeline=pipeline), [])
    assert ended.value.code == 1
    assert (
        "error: stage `float` has not been trained\n"
        f"hint: train it with `specgen run {experiment} --stage float`\n" in capsys.readouterr().err
    )
    assert RunDirectory(experiment / "runs" / "0001-qat").record["status"] == "failed"
