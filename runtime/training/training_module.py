"""The LightningModule around a model: sums named losses, evaluates metrics, counts epochs and steps across
resumed runs."""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from runtime.errors import RunError
from runtime.quantization.calibration import quantised, state_of
from runtime.quantization.graph import find_graph
from runtime.quantization.state import State
from runtime.training.epoch_loader import EpochLoader
from runtime.training.nonfinite_loss import NonfiniteLossGuard
from runtime.training.output_digest import DeployedForm, OutputDigest
from runtime.training.seeding import seed_everything


@dataclass(frozen=True)
class TrainingPlan:
    """Where a run starts and where it ends; Lightning itself only counts what is done since the last
    start."""

    start_epoch: int
    start_step: int
    total_epochs: int
    total_steps: int
    steps_per_epoch: int
    seed: int


class TrainingModule(pl.LightningModule):
    """What the loop calls for each batch.

    Args:
        model: maps a batch to named losses when training, to predictions by decoder name otherwise.
        metrics: objects with `name`, `update(predictions, batch)`, `compute()` and `reset()`.
        val_loader: evaluation batches, or None.
        train_loader: training batches, or None for evaluation alone.
        build_optimizer: makes the optimiser once the model is on its device.
        plan: start and end of the run, from the number of optimiser steps in an epoch.
        restore: puts trainer state back once the optimiser exists, when a run is resumed.
        output_digest: takes in the raw outputs of every evaluation, of a `DeployedForm` in one process.
    """

    def __init__(
        self,
        *,
        model: nn.Module,
        metrics: Sequence[Any],
        val_loader: DataLoader | None,
        train_loader: DataLoader | None = None,
        build_optimizer: Callable[[nn.Module], torch.optim.Optimizer] | None = None,
        plan: Callable[[int], TrainingPlan] | None = None,
        restore: Callable[[pl.Trainer], None] | None = None,
        output_digest: OutputDigest | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        # A plain list: metrics are no part of the model and must not enter its checkpoints.
        self.metrics = list(metrics)
        self.train_loader = train_loader
        self.val_loader = val_loader
        self.build_optimizer = build_optimizer
        self.plan = TrainingPlan(0, 0, 0, 0, 0, 0)
        self._make_plan = plan
        self._restore = restore
        self._digest = output_digest
        self.guard = NonfiniteLossGuard()
        self.results: dict[str, dict[str, float]] = {}
        self.output_digest: str | None = None
        self.evaluated_samples = 0
        self.evaluation_seconds = 0.0
        self._evaluation_started = 0.0
        self._fixed_point = ExitStack()

    @property
    def epoch(self) -> int:
        """Epochs completed before the current one, over all starts of the run."""
        return self.plan.start_epoch + self.trainer.current_epoch

    @property
    def step(self) -> int:
        """Optimiser steps taken, over all starts of the run."""
        return self.plan.start_step + self.trainer.global_step

    @property
    def where(self) -> str:
        """The step among all steps, as lines about the run begin."""
        return f"step {self.step:>6}/{self.plan.total_steps}"

    def setup(self, stage: str) -> None:
        """Called once all processes know each other: only now is the length of a rank's loader final."""
        if stage == "fit" and self._make_plan is not None and self.train_loader is not None:
            self.plan = self._make_plan(
                math.ceil(len(self.train_loader) / self.trainer.accumulate_grad_batches)
            )

    def on_fit_start(self) -> None:
        state = None if find_graph(self.model) is None else state_of(self.model)
        if state not in (None, State.QUANTISE_AND_OBSERVE):
            raise RunError(
                f"the quantised model is trained in the state `{state.value}`, in which it does not learn to "
                "be rounded",
                hint="convert it with `Float2QAT`",
            )
        if self._restore is not None:
            self._restore(self.trainer)

    def train_dataloader(self) -> EpochLoader:
        assert self.train_loader is not None
        return EpochLoader(self.train_loader, lambda: self.epoch)

    def val_dataloader(self) -> DataLoader | list[Any]:
        return [] if self.val_loader is None else self.val_loader

    def configure_optimizers(self) -> torch.optim.Optimizer:
        assert self.build_optimizer is not None
        return self.build_optimizer(self.model)

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        if batch_idx == 0:
            seed_everything(self.plan.seed, self.epoch, self.global_rank)

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> dict[str, Any]:
        losses: dict[str, Tensor] = self.model(batch)
        self.guard.watch(losses, batch["token"], self.step)
        detached = {name: value.detach() for name, value in losses.items()}
        return {"loss": torch.stack(list(losses.values())).sum(), "losses": detached}

    def on_train_epoch_end(self) -> None:
        self.guard.check()

    def on_validation_epoch_start(self) -> None:
        self.guard.check()
        self._evaluation_started = time.perf_counter()
        self.evaluated_samples = 0
        if self.trainer.world_size > 1:
            self._digest = None  # each process sees samples of its own
        if self._digest is not None:
            self._digest.start()
        self._share_buffers()
        self._fixed_point.enter_context(quantised(self.model))
        for metric in self.metrics:
            if hasattr(metric, "to"):
                metric.to(self.device)
            metric.reset()

    def validation_step(self, batch: dict[str, Any], batch_idx: int) -> dict[str, Any]:
        with self._exact():
            predictions = self._predictions(batch)
        for metric in self.metrics:
            metric.update(predictions[metric.name], batch)
        self.evaluated_samples += len(batch["token"])
        return predictions

    def on_validation_epoch_end(self) -> None:
        self.results = {metric.name: dict(metric.compute()) for metric in self.metrics}
        if self.trainer.world_size > 1 and self.val_loader is not None:
            # Until here this process has counted its own share.
            self.evaluated_samples = len(self.val_loader.dataset)  # type: ignore[arg-type]
        self.evaluation_seconds = time.perf_counter() - self._evaluation_started
        if self._digest is not None:
            self.output_digest = self._digest.hexdigest()
        self._fixed_point.close()

    def _predictions(self, batch: dict[str, Any]) -> dict[str, Any]:
        model = self.model
        if self._digest is None:
            predictions: dict[str, Any] = model(batch)
            return predictions
        assert isinstance(model, DeployedForm)
        raw = model.raw_outputs(*model.deployed_inputs(batch))
        self._digest.update(raw)
        return model.decode(raw)

    def _share_buffers(self) -> None:
        """Scales that follow the batches differ between processes: all take those of the first, which saves.

        Data parallel training would see to it in the first batch, when the integers are computed already.
        """
        if self.trainer.world_size == 1:
            return
        saved = self.model.state_dict().keys()
        for name, buffer in self.model.named_buffers():
            if name in saved:
                torch.distributed.broadcast(buffer, src=0)

    def _exact(self) -> Any:
        """Mixed precision holds too few bits for codes and their sums: fixed point is computed without it."""
        if find_graph(self.model) is None:
            return nullcontext()
        return torch.autocast(self.device.type, enabled=False)
