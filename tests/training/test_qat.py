"""The stage `qat` on a small BEV model: learns in simulated rounding, is judged in fixed point."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from bev_parts import (
    Losses,
    bev_loader,
    bev_model,
    bev_trainer,
    qat_pipeline,
    run,
    to_calibration,
    trained_experiment,
)
from torch import Tensor

from runtime.errors import RunError
from runtime.quantization.calibration import set_state, state_of
from runtime.quantization.config import ScaleLearning
from runtime.quantization.state import State
from runtime.training.batch_processor import BatchProcessor
from runtime.training.callbacks.checkpoint import Checkpoint
from runtime.training.callbacks.cos_lr_updater import CosLrUpdater
from runtime.training.callbacks.validation import Validation
from runtime.training.convert import ModelConvertPipeline
from runtime.training.load_checkpoint import LoadCheckpoint
from runtime.training.optimizer import AdamW
from runtime.training.run_checkpoints import RunCheckpoints
from runtime.training.run_directory import RunDirectory, file_digest
from runtime.training.weights_file import load_metadata, load_weights


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An experiment with float weights and their calibration."""
    return trained_experiment(tmp_path_factory.mktemp("calibrated"), calibrated=True)


def calibration_of(experiment: Path) -> Path:
    return experiment / "runs" / "0002-calibration" / "checkpoints" / "best.safetensors"


def qat_trainer(scales: ScaleLearning = "lsq", **changes: Any) -> Any:
    return bev_trainer(**{"model_convert_pipeline": qat_pipeline(scales), **changes})


class States(pl.Callback):
    """The state of the quantised modules in training and in validation, in the order of the batches."""

    def __init__(self) -> None:
        self.seen: list[State] = []
        self.gradients = 0

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.seen.append(state_of(module.model))

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        module: Any,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        self.seen.append(state_of(module.model))


def changed(before: dict[str, Tensor], after: dict[str, Tensor], ending: str) -> list[str]:
    return [key for key in before if key.endswith(ending) and not torch.equal(before[key], after[key])]


@pytest.mark.parametrize("scales", ["lsq", "moving_average", "frozen"])
def test_ten_steps_on_one_batch(calibrated: Path, scales: ScaleLearning) -> None:
    """The loss falls, and of the scales those move that are to."""
    folder = calibrated / "runs" / f"1000-{scales}"
    losses = Losses()
    metrics = qat_trainer(
        scales,
        model=partial(bev_model, drop_prob=0.0),
        data_loader=partial(bev_loader, size=2),
        optimizer=AdamW(lr=4e-3, params={}),
        num_steps=10,
        callbacks=[losses, Validation(interval_epochs=99), Checkpoint()],
    ).fit(folder)
    assert len(losses.values) == 10
    assert all(later < earlier for earlier, later in pairwise(losses.values))
    assert losses.values[-1] < 0.95 * losses.values[0]

    before = load_weights(calibration_of(calibrated))[0]
    after, metadata = load_weights(folder / "checkpoints" / "best.safetensors")
    assert list(after) == list(before)
    assert len(changed(before, after, "layer.weight")) > 100
    gains, steps = changed(before, after, "gain"), changed(before, after, "scale")
    # Images and sampling points have steps that are given, whatever the others do.
    given = ("img.quant", "grid_sample.points", "resample.points")
    assert not any(key.removesuffix(".scale").endswith(given) for key in gains + steps)
    if scales == "lsq":
        assert not steps and len(gains) > 200
    elif scales == "moving_average":
        assert not gains and len(steps) > 200
    else:
        assert not gains and not steps

    assert metadata["metrics"] == metrics
    assert qat_trainer(scales).evaluate(folder / "checkpoints" / "best.safetensors").metrics == metrics


@dataclass(frozen=True)
class Learned:
    """A run of two epochs of two steps, each judged on two batches."""

    checkpoints: Path
    metrics: dict[str, dict[str, float]]
    states: list[State]
    losses: list[float]


@pytest.fixture(scope="module")
def learned(calibrated: Path) -> Learned:
    folder = calibrated / "runs" / "1010-qat"
    states, losses = States(), Losses()
    trainer = qat_trainer(callbacks=[states, losses, CosLrUpdater(), Validation(), Checkpoint()])
    return Learned(folder / "checkpoints", trainer.fit(folder), states.seen, losses.values)


def test_training_goes_on_after_a_validation_in_fixed_point(calibrated: Path, learned: Learned) -> None:
    """Simulated rounding, codes, and back."""
    epoch = [State.QUANTISE_AND_OBSERVE] * 2 + [State.QUANTISE] * 2
    assert learned.states == epoch * 2
    assert len(set(learned.losses)) == 4
    last = learned.checkpoints / "last.safetensors"
    assert load_metadata(last)["metrics"] == learned.metrics == qat_trainer().evaluate(last).metrics

    # The validations took no part in what was learned.
    unseen = calibrated / "runs" / "1011-qat"
    qat_trainer(callbacks=[CosLrUpdater(), Checkpoint()]).fit(unseen)
    other = load_weights(unseen / "checkpoints" / "last.safetensors")[0]
    assert all(torch.equal(value, other[key]) for key, value in load_weights(last)[0].items())


class StopAt(pl.Callback):
    """Raises in the middle of an epoch, as a crash would."""

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if module.step == 3:
            raise RuntimeError("crash")


@pytest.mark.parametrize("scales", ["lsq", "moving_average"])
def test_stopped_inside_an_epoch_and_resumed(
    calibrated: Path, learned: Learned, tmp_path: Path, scales: ScaleLearning
) -> None:
    whole, parts = learned.checkpoints.parent, tmp_path / "bev" / "runs" / "0004-qat"
    shutil.copytree(calibrated / "runs" / "0002-calibration", tmp_path / "bev" / "runs" / "0002-calibration")
    if scales != "lsq":
        whole = parts.with_name("0003-qat")
        qat_trainer(scales).fit(whole)
    with pytest.raises(RuntimeError, match="crash"):
        qat_trainer(scales, callbacks=[CosLrUpdater(), Validation(), Checkpoint(), StopAt()]).fit(parts)
    # What a run goes on with is its own: the weights that it started from may be gone.
    shutil.rmtree(tmp_path / "bev" / "runs" / "0002-calibration")
    point = RunCheckpoints(parts / "checkpoints").resume_point()
    assert point.step == 2
    qat_trainer(scales).fit(parts, point)
    for name in ("last", "best"):
        expected, found = (
            load_weights(folder / "checkpoints" / f"{name}.safetensors") for folder in (whole, parts)
        )
        assert expected[1] == found[1]
        assert {key: value.numpy().tobytes() for key, value in expected[0].items()} == {
            key: value.numpy().tobytes() for key, value in found[0].items()
        }
    moved = "gain" if scales == "lsq" else "scale"
    assert changed(dict(point.weights), load_weights(parts / "checkpoints" / "last.safetensors")[0], moved)


def test_mixed_precision_learns_and_is_judged_exactly(calibrated: Path, learned: Learned) -> None:
    folder = calibrated / "runs" / "1020-qat"
    mixed = BatchProcessor(precision="bf16", gradient_clip_val=10.0)
    metrics = qat_trainer(batch_processor=mixed).fit(folder)
    last = folder / "checkpoints" / "last.safetensors"
    weights = load_weights(last)[0]
    assert {value.dtype for value in weights.values()} == {torch.float32, torch.int32}  # int32: bits of codes
    assert qat_trainer(batch_processor=mixed).evaluate(last).metrics == metrics
    assert qat_trainer().evaluate(last).metrics == metrics
    other = load_weights(learned.checkpoints / "last.safetensors")[0]
    assert changed(load_weights(last)[0], other, "layer.weight")


def test_two_processes_learn_the_same(calibrated: Path, tmp_path: Path) -> None:
    """Each has batches of its own; afterwards both hold the weights and scales that are saved and judged."""
    experiment = tmp_path / "bev"
    shutil.copytree(calibrated / "runs" / "0002-calibration", experiment / "runs" / "0002-calibration")
    script = Path(__file__).with_name("qat_in_two_processes.py")
    ended = subprocess.run(
        [sys.executable, str(script), str(experiment)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert ended.returncode == 0, ended.stderr
    before = load_weights(calibration_of(calibrated))[0]
    for scales, moved in (("lsq", "gain"), ("moving_average", "scale")):
        last = experiment / "runs" / f"1000-{scales}" / "checkpoints" / "last.safetensors"
        saved, metadata = load_weights(last)
        assert metadata["step"] == 2  # two samples for each process are one step an epoch
        for rank in (0, 1):
            weights, told = load_weights(experiment / f"{scales}-rank{rank}.safetensors")
            assert all(torch.equal(value, weights[key]) for key, value in saved.items())
            assert told["metrics"] == metadata["metrics"]
        assert qat_trainer().evaluate(last).metrics == metadata["metrics"]
        assert len(changed(before, saved, moved)) > 200


def test_a_calibration_has_the_keys_of_the_model_that_learns(calibrated: Path) -> None:
    model = qat_pipeline().structure(bev_model())
    weights = load_weights(calibration_of(calibrated))[0]
    own = model.state_dict()
    assert set(own) == set(weights) and all(own[key].shape == weights[key].shape for key in own)


def test_untouched_weights_are_judged_as_calibrated(calibrated: Path) -> None:
    best = calibration_of(calibrated)
    assert qat_trainer().evaluate(best).metrics == load_metadata(best)["metrics"]


def test_the_stage_starts_from_the_calibration_and_records_it(calibrated: Path, capsys: Any) -> None:
    assert run("qat", calibrated, qat_trainer, "--num-steps", "2") == 0
    record = RunDirectory(max(calibrated.glob("runs/*-qat/run.json")).parent).record
    best = calibration_of(calibrated)
    source = {"checkpoint": str(best.relative_to(calibrated)), "digest": file_digest(best)}
    assert record["inputs"]["calibration"] == source
    count = len(load_weights(best)[0])
    assert f"loaded {count} of {count} tensors from {best}\n" in capsys.readouterr().err


def test_without_a_calibration_the_hint_says_how_to_make_one(experiment: Path) -> None:
    with pytest.raises(RunError) as caught:
        qat_trainer().fit(experiment / "runs" / "0001-qat")
    assert caught.value.hint == f"train it with `specgen run {experiment} --stage calibration`"


@pytest.mark.parametrize("state", [State.FLOAT, State.OBSERVE, State.QUANTISE])
def test_a_model_left_in_another_state_than_that_of_qat_is_refused(calibrated: Path, state: State) -> None:
    def leave(model: torch.nn.Module) -> torch.nn.Module:
        set_state(model, state)
        return model

    pipeline = ModelConvertPipeline(
        converters=[to_calibration(), LoadCheckpoint(stage="calibration"), leave], qat_mode="fuse_bn"
    )
    with pytest.raises(RunError) as caught:
        qat_trainer(model_convert_pipeline=pipeline).fit(calibrated / "runs" / "1030-qat")
    assert str(caught.value) == (
        f"error: the quantised model is trained in the state `{state.value}`, in which it does not learn "
        "to be rounded\nhint: convert it with `Float2QAT`"
    )
