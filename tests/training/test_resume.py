"""A run that was stopped and resumed has the weights of one that was not, bit for bit on the CPU."""

import gc
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import lightning.pytorch as pl
import pytest
import torch
from toy_parts import ToyModel, toy_trainer, train_loader

from runtime.errors import RunError
from runtime.training.batch_processor import BatchProcessor
from runtime.training.callbacks.checkpoint import Checkpoint
from runtime.training.callbacks.cyclic_lr_updater import CyclicLrUpdater
from runtime.training.callbacks.validation import Validation
from runtime.training.run_checkpoints import RunCheckpoints
from runtime.training.run_directory import RunDirectory, find_runs
from runtime.training.stage_entry import run_stage
from runtime.training.weights_file import load_metadata, load_weights

SCRIPT = Path(__file__).parent / "toy_stage.py"


def weight_bytes(checkpoint: Path) -> dict[str, bytes]:
    return {key: value.numpy().tobytes() for key, value in load_weights(checkpoint)[0].items()}


def start_slow_stage(experiment: Path, *arguments: str) -> subprocess.Popen:
    """A stage in a process of its own whose second epoch takes long."""
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), str(experiment), "0.3", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def wait_for(file: Path, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 60
    while not file.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            pytest.fail(f"no {file.name}: {process.communicate()[1]}")
        time.sleep(0.02)


def uninterrupted(folder: Path, **changes) -> dict[str, bytes]:
    toy_trainer(**changes).fit(folder)
    return weight_bytes(folder / "checkpoints" / "last.safetensors")


def test_killed_and_resumed(experiment, tmp_path, capfd):
    process = start_slow_stage(experiment)
    last = experiment / "runs" / "0001-float" / "checkpoints" / "last.safetensors"
    wait_for(last, process)
    time.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    process.communicate()
    assert load_metadata(last)["epoch"] == 1
    assert RunDirectory(last.parents[1]).record["status"] == "running"

    with pytest.raises(SystemExit) as ended:
        run_stage("float", experiment, toy_trainer, ["--resume"])
    assert ended.value.code == 0
    assert "resumed after epoch 1, step 4" in capfd.readouterr().err
    record = RunDirectory(last.parents[1]).record
    assert record["status"] == "finished" and len(record["starts"]) == 2
    assert [run.path.name for run in find_runs(experiment)] == ["0001-float"]
    assert weight_bytes(last) == uninterrupted(tmp_path / "whole")


def test_ctrl_c_says_how_to_go_on(experiment):
    process = start_slow_stage(experiment)
    run = experiment / "runs" / "0001-float"
    wait_for(run / "checkpoints" / "last.safetensors", process)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    assert f"interrupted; last checkpoint: {run}/checkpoints/last.safetensors (epoch 1, step 4)" in stderr
    assert f"go on with: specgen run {experiment} --stage float --resume --run 0001-float" in stderr
    assert RunDirectory(run).record["status"] == "interrupted"
    assert "interrupted; last checkpoint" in (run / "log.txt").read_text()


def test_one_request_to_end_ends_all_processes(experiment):
    script = SCRIPT.with_name("toy_ddp_stage.py")
    process = subprocess.Popen(
        [sys.executable, str(script), str(experiment), "0.05"], stderr=subprocess.PIPE, text=True
    )
    run = experiment / "runs" / "0001-float"
    wait_for(run / "checkpoints" / "last.safetensors", process)
    time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=20)  # the other process has its stderr, too
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    assert f"interrupted; last checkpoint: {run}/checkpoints/last.safetensors" in stderr
    assert RunDirectory(run).record["status"] == "interrupted"


class StopAt(pl.Callback):
    """Raises in the middle of an epoch, as a crash would."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_end(self, trainer, module, *_) -> None:
        if module.step == self.step:
            raise RuntimeError("crash")


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("data workers", {"data_loader": partial(train_loader, num_workers=2)}),
        ("accumulation", {"batch_processor": BatchProcessor(accumulate_grad_batches=3), "num_epochs": 5}),
        ("bf16", {"batch_processor": BatchProcessor(precision="bf16")}),
        ("length in steps", {"num_steps": 11}),
    ],
)
def test_stopped_inside_an_epoch_and_resumed(tmp_path, name, changes):
    started = time.monotonic()
    expected = uninterrupted(tmp_path / "whole", **changes)
    callbacks = [CyclicLrUpdater(), Validation(), Checkpoint()]
    with pytest.raises(RuntimeError, match="crash"):
        toy_trainer(**changes, callbacks=[*callbacks, StopAt(5)]).fit(tmp_path / "parts")
    store = RunCheckpoints(tmp_path / "parts" / "checkpoints")
    point = store.resume_point()
    assert 0 < point.step < 5
    callbacks = [CyclicLrUpdater(), Validation(), Checkpoint()]
    toy_trainer(**changes, callbacks=callbacks).fit(tmp_path / "parts", point)
    assert weight_bytes(store.last) == expected
    # Workers are stopped at the end of a run, not waited for.
    gc.collect()
    assert time.monotonic() - started < 10
    assert weight_bytes(store.best) == weight_bytes(tmp_path / "whole" / "checkpoints" / "best.safetensors")


def test_a_save_that_fails_half_way_leaves_the_pair_before_it(tmp_path, monkeypatch):
    """Weights cannot be written in the second epoch, after its trainer state was: the first epoch's pair
    must still fit."""
    import runtime.training.run_checkpoints as room

    save = room.save_weights

    def failing(path, weights, metadata):
        if path.name == "last.safetensors" and metadata["epoch"] == 2:
            raise RunError("no space left on the disk")
        save(path, weights, metadata)

    monkeypatch.setattr(room, "save_weights", failing)
    with pytest.raises(RunError, match="no space left"):
        toy_trainer().fit(tmp_path)
    point = RunCheckpoints(tmp_path / "checkpoints").resume_point()
    assert (point.epoch, point.step, point.state["step"]) == (1, 4, 4)


def test_old_trainer_states_are_removed(tmp_path):
    toy_trainer().fit(tmp_path)
    names = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert names == ["best.safetensors", "last.safetensors", "step-00000012.state.pt"]


def test_resuming_with_another_model_is_refused(tmp_path):
    toy_trainer(num_epochs=1).fit(tmp_path)
    point = RunCheckpoints(tmp_path / "checkpoints").resume_point()
    with pytest.raises(RunError, match=r"backbone.0.weight is \(8, 4\) in the file, \(16, 4\) in the model"):
        toy_trainer(model=partial(ToyModel, width=16)).fit(tmp_path, point)


@pytest.mark.parametrize("changes", [{}, {"num_steps": 12}, {"num_steps": 5}])
def test_where_nothing_is_left_nothing_is_trained(tmp_path, changes):
    toy_trainer().fit(tmp_path)
    store = RunCheckpoints(tmp_path / "checkpoints")
    before = store.last.read_bytes()
    assert toy_trainer(**changes).fit(tmp_path, store.resume_point()) == {}
    assert store.last.read_bytes() == before


def test_a_pair_that_does_not_fit_is_refused(tmp_path):
    toy_trainer(num_epochs=1).fit(tmp_path)
    folder = tmp_path / "checkpoints"
    state = torch.load(folder / "step-00000004.state.pt", weights_only=True)
    torch.save({**state, "step": 3}, folder / "step-00000004.state.pt")
    with pytest.raises(
        RunError, match=r"`last.safetensors` is of step 4, `step-00000004.state.pt` of step 3"
    ):
        RunCheckpoints(folder).resume_point()
