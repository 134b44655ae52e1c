from functools import partial
from pathlib import Path

import lightning.pytorch as pl
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from toy_parts import ToyMetric, ToyModel, toy_trainer, train_loader, val_loader

from runtime.errors import RunError
from runtime.training.batch_processor import BatchProcessor
from runtime.training.callbacks.checkpoint import Checkpoint
from runtime.training.callbacks.cos_lr_updater import CosLrUpdater
from runtime.training.callbacks.cyclic_lr_updater import CyclicLrUpdater
from runtime.training.callbacks.loss_show import LossShow
from runtime.training.callbacks.tensor_board import TensorBoard
from runtime.training.callbacks.validation import Validation
from runtime.training.callbacks.warmup_step_lr_updater import WarmupStepLrUpdater
from runtime.training.schedules import cyclic, warmup_cosine, warmup_step
from runtime.training.weights_file import load_metadata, load_weights


class Recorder(pl.Callback):
    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.rates: list[float] = []
        self.validated: list[int] = []

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:
        self.tokens += batch["token"]
        self.rates.append(trainer.optimizers[0].param_groups[0]["lr"])

    def on_validation_end(self, trainer, module) -> None:
        self.validated.append(module.step)


def fit(folder: Path, *callbacks: pl.Callback, **changes) -> Recorder:
    recorder = Recorder()
    toy_trainer(callbacks=[*callbacks, recorder], **changes).fit(folder)
    return recorder


def test_training_learns_and_returns_the_last_results(tmp_path):
    before = toy_trainer().evaluate(None).metrics["toy"]["NDS"]
    results = toy_trainer(num_epochs=60, callbacks=[Validation(interval_epochs=60)]).fit(tmp_path)
    assert results["toy"]["NDS"] > before + 0.2


def test_the_rate_follows_the_schedule_at_every_step(tmp_path):
    rates = fit(tmp_path, CyclicLrUpdater()).rates
    expected = [
        1e-2 * cyclic(step, total_steps=12, target_ratio=(10, 1e-4), cyclic_times=1, step_ratio_up=0.4)
        for step in range(12)
    ]
    assert rates == pytest.approx(expected, rel=1e-12)


def test_milestones_are_epochs_and_stop_lr_is_a_rate(tmp_path):
    rates = fit(tmp_path, WarmupStepLrUpdater(milestones=[1, 2], warmup_steps=2)).rates
    options = {"warmup_steps": 2, "warmup_ratio": 0.1, "milestones": [4, 8], "gamma": 0.1}
    assert rates == pytest.approx([1e-2 * warmup_step(step, **options) for step in range(12)])
    rates = fit(tmp_path, CosLrUpdater(warmup_fraction=0.25, stop_lr=1e-3)).rates
    options = {"total_steps": 12, "warmup_steps": 3, "stop_ratio": 0.1}
    assert rates == pytest.approx([1e-2 * warmup_cosine(step, **options) for step in range(12)])
    assert rates[-1] == pytest.approx(1e-3)


def test_accumulation_counts_optimiser_steps(tmp_path):
    """Four batches an epoch by three make two steps: the schedule ends with the run."""
    recorder = fit(
        tmp_path, CosLrUpdater(stop_lr=1e-3), batch_processor=BatchProcessor(accumulate_grad_batches=3)
    )
    options = {"total_steps": 6, "warmup_steps": 0, "stop_ratio": 0.1}
    by_batch = [0, 0, 0, 1, 2, 2, 2, 3, 4, 4, 4, 5]
    assert recorder.rates == pytest.approx([1e-2 * warmup_cosine(step, **options) for step in by_batch])


def test_every_epoch_has_every_sample_in_a_new_order(tmp_path):
    tokens = fit(tmp_path).tokens
    epochs = [tokens[start : start + 8] for start in (0, 8, 16)]
    assert all(sorted(epoch) == [f"token{index}" for index in range(8)] for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


@pytest.mark.parametrize(
    ("interval", "changes", "steps"),
    [
        (1, {}, [4, 8, 12]),
        (2, {}, [8, 12]),
        (5, {}, [12]),
        (1, {"num_steps": 6}, [4, 6]),
        (9, {"num_steps": 9}, [9]),
    ],
)
def test_validation_comes_at_its_epochs_and_at_the_end(tmp_path, interval, changes, steps):
    assert fit(tmp_path, Validation(interval_epochs=interval), Checkpoint(), **changes).validated == steps
    assert load_metadata(tmp_path / "checkpoints" / "last.safetensors")["step"] == steps[-1]


class ScriptedMetric(ToyMetric):
    """Values as told, whatever the model says."""

    def __init__(self, values: list[float]) -> None:
        super().__init__()
        self.values = iter(values)

    def compute(self) -> dict[str, float]:
        return {"NDS": next(self.values)}


@pytest.mark.parametrize(("mode", "epoch"), [("max", 2), ("min", 3)])
def test_best_is_the_best_by_the_named_metric(tmp_path, mode, epoch):
    metric = ScriptedMetric([0.3, 0.5, 0.1])
    fit(tmp_path, Validation(), Checkpoint(best="NDS", mode=mode), val_metrics=[metric])
    metadata = load_metadata(tmp_path / "checkpoints" / "best.safetensors")
    assert metadata["epoch"] == epoch and metadata["step"] == 4 * epoch
    assert load_metadata(tmp_path / "checkpoints" / "last.safetensors")["epoch"] == 3


def test_a_nan_metric_never_beats_a_number(tmp_path):
    fit(tmp_path, Validation(), Checkpoint(), val_metrics=[ScriptedMetric([float("nan"), 0.2, float("nan")])])
    assert load_metadata(tmp_path / "checkpoints" / "best.safetensors")["epoch"] == 2


def test_an_unknown_best_metric_is_named_with_those_there_are(tmp_path):
    with pytest.raises(RunError, match="metric `mIoU` is not among") as caught:
        fit(tmp_path, Validation(), Checkpoint(best="mIoU"))
    assert caught.value.hint == "there are toy/NDS, toy/AP/car"


def test_without_validation_the_last_weights_are_the_best(tmp_path):
    fit(tmp_path, Checkpoint())
    folder = tmp_path / "checkpoints"
    best, last = load_weights(folder / "best.safetensors")[0], load_weights(folder / "last.safetensors")[0]
    assert all(torch.equal(best[key], last[key]) for key in last)


def test_checkpoints_hold_the_model_and_tell_their_origin(tmp_path):
    toy_trainer().fit(tmp_path, identity={"stage": "float", "experiment": "toy"})
    weights, metadata = load_weights(tmp_path / "checkpoints" / "best.safetensors")
    assert set(weights) == set(ToyModel().state_dict())
    assert metadata["stage"] == "float" and metadata["experiment"] == "toy"
    evaluation = toy_trainer().evaluate(tmp_path / "checkpoints" / "best.safetensors")
    assert evaluation.metrics["toy"]["NDS"] == pytest.approx(metadata["metrics"]["toy"]["NDS"])
    assert (evaluation.split, evaluation.num_samples, evaluation.digest) == ("toy-val", 6, "d1ce")


def test_evaluating_the_first_samples_only(tmp_path):
    seen: list[str] = []

    class Tokens(pl.Callback):
        def on_validation_batch_end(
            self, trainer, module, outputs, batch, batch_idx, dataloader_idx=0
        ) -> None:
            seen.extend(batch["token"])

    assert toy_trainer().evaluate(None, num_samples=3, callbacks=[Tokens()]).num_samples == 3
    assert seen == ["token0", "token1", "token2"]


def test_ground_truth_goes_to_the_metric_that_wants_it():
    class Judge(ToyMetric):
        def set_ground_truth(self, truth) -> None:
            self.truth = truth

    class WithTruth(type(val_loader().dataset)):
        def ground_truth(self):
            return ["annotations"]

    def loader():
        made = val_loader()
        made.dataset.__class__ = WithTruth
        return made

    judge = Judge()
    toy_trainer(val_metrics=[judge], val_data_loader=loader).evaluate(None, num_samples=2)
    assert judge.truth == ["annotations"]


def test_the_same_seed_gives_the_same_weights_and_another_one_others(tmp_path):
    def weights(name: str, seed: int) -> dict[str, torch.Tensor]:
        toy_trainer(seed=seed, num_epochs=1).fit(tmp_path / name)
        return load_weights(tmp_path / name / "checkpoints" / "last.safetensors")[0]

    first, again, other = weights("a", 1), weights("b", 1), weights("c", 2)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["head.weight"], other["head.weight"])


def test_a_nan_loss_stops_and_keeps_the_last_good_checkpoint(tmp_path):
    """The first epoch is clean; from the second on one sample is poisoned."""

    class Poison(pl.Callback):
        def on_train_batch_start(self, trainer, module, batch, batch_idx) -> None:
            if module.epoch == 1 and "token5" in batch["token"]:
                batch["truth"][batch["token"].index("token5")] = float("nan")

    with pytest.raises(RunError, match="loss is not finite") as caught:
        fit(tmp_path, Validation(), Checkpoint(), Poison())
    assert "`toy/loss_square` = nan" in str(caught.value) and "token5" in str(caught.value)
    weights, metadata = load_weights(tmp_path / "checkpoints" / "last.safetensors")
    assert metadata["epoch"] == 1
    assert all(torch.isfinite(value).all() for value in weights.values())


def test_train_metrics_show_the_loss_once(tmp_path, caplog):
    import logging

    logging.getLogger("runtime").propagate = True
    with caplog.at_level(logging.INFO, logger="runtime"):
        fit(tmp_path, train_metrics=LossShow(log_freq=4))
    lines = [line for line in caplog.messages if "toy/loss_square" in line]
    assert len(lines) == 3 and lines[0].startswith("step      4/12  epoch 1  loss ")
    caplog.clear()
    with caplog.at_level(logging.INFO, logger="runtime"):
        fit(tmp_path, LossShow(log_freq=4), train_metrics=LossShow(log_freq=4))
    assert len([line for line in caplog.messages if "toy/loss_square" in line]) == 3


def test_tensorboard_has_losses_rate_and_metrics(tmp_path):
    fit(tmp_path, TensorBoard(log_freq=2), Validation(), CyclicLrUpdater())
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [event.step for event in events.Scalars("train/toy/loss_square")] == [2, 4, 6, 8, 10, 12]
    assert [event.step for event in events.Scalars("val/toy/NDS")] == [4, 8, 12]
    assert max(event.value for event in events.Scalars("train/learning_rate")) > 0.05


def test_tensorboards_loss_is_that_of_a_batch_however_many_make_a_step(tmp_path):
    fit(
        tmp_path,
        TensorBoard(log_freq=1),
        batch_processor=BatchProcessor(accumulate_grad_batches=2),
        num_epochs=1,
    )
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    whole, *parts = (
        [event.value for event in events.Scalars(f"train/{name}")]
        for name in ("loss", "toy/loss_square", "toy/loss_abs")
    )
    assert whole == pytest.approx([sum(values) for values in zip(*parts, strict=True)])


def test_fp16_on_the_cpu_and_a_gpu_that_is_not_there_are_refused(tmp_path):
    with pytest.raises(RunError, match="precision `fp16` does not train on `cpu`"):
        toy_trainer(batch_processor=BatchProcessor(precision="fp16")).fit(tmp_path)
    missing = f"cuda:{torch.cuda.device_count()}"
    with pytest.raises(RunError, match=f"device `{missing}` is not here"):
        toy_trainer(device=missing).fit(tmp_path)


def test_clipping_bounds_the_step(tmp_path):
    """With a clipping norm of zero nothing but decay can move a weight."""
    changes = {
        "optimizer": toy_trainer().optimizer,
        "data_loader": partial(train_loader, size=4),
        "num_epochs": 1,
    }
    fit(tmp_path / "a", Checkpoint(), batch_processor=BatchProcessor(gradient_clip_val=1e-12), **changes)
    torch.manual_seed(0)
    trained = load_weights(tmp_path / "a" / "checkpoints" / "last.safetensors")[0]
    fit(tmp_path / "b", Checkpoint(), **changes)
    free = load_weights(tmp_path / "b" / "checkpoints" / "last.safetensors")[0]
    assert not torch.equal(trained["head.weight"], free["head.weight"])
    # eps 1e-8 in Adam's denominator dwarfs gradients of 1e-12.
    assert (trained["head.bias"] - free["head.bias"]).abs().item() > 5e-3
