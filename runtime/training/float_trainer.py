"""The float stage's trainer: assembles Lightning's loop from the parts that a spec names."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor, nn
from torch.utils.data import DataLoader

from runtime.quantization.graph import find_graph
from runtime.training.batch_processor import BatchProcessor
from runtime.training.callbacks.checkpoint import Checkpoint
from runtime.training.callbacks.loss_show import LossShow
from runtime.training.callbacks.tensor_board import TensorBoard
from runtime.training.callbacks.validation import Validation
from runtime.training.convert import ModelConvertPipeline
from runtime.training.device import resolve_device
from runtime.training.epoch_loader import stop_workers
from runtime.training.evaluate_model import evaluate_model
from runtime.training.evaluation import Evaluation, limit_samples, prepare_metrics
from runtime.training.lightning_trainer import interruptible, lightning_trainer
from runtime.training.optimizer import AdamW
from runtime.training.output_digest import OutputDigest
from runtime.training.report import say
from runtime.training.run_checkpoints import ResumePoint, RunCheckpoints, restore_trainer_state
from runtime.training.seeding import seed_everything
from runtime.training.stage_model import stage_model
from runtime.training.state_dict_file import read_state_dict
from runtime.training.training_module import TrainingModule, TrainingPlan


class DistributedDataParallelTrainer:
    """Trains a model on one or several devices and evaluates it.

    Args:
        model: builds the model.
        data_loader: builds the training loader.
        val_data_loader: builds the evaluation loader.
        val_metrics: metrics, each for the decoder of its `name`.
        optimizer: the optimiser's recipe.
        batch_processor: number format, clipping, accumulation.
        num_epochs: length of the run, unless `num_steps` is given.
        callbacks: run in this order, checkpoints last.
        model_convert_pipeline: what happens to the model before training, such as loading pretrained weights.
        device: `cpu`, `cuda`, `cuda:1`; None takes a GPU when there is one.
        sync_bn: normalise over the batches of all devices; means something with several GPUs only.
        train_metrics: a further `LossShow`, unless one is among the callbacks.
        seed: of initial weights, dropout and every other draw of the run.
        num_devices: processes, one device each; Lightning starts the script once more for each.
        num_steps: length of the run in optimiser steps, instead of `num_epochs`.
    """

    def __init__(
        self,
        *,
        model: Callable[[], nn.Module],
        data_loader: Callable[[], DataLoader],
        val_data_loader: Callable[[], DataLoader],
        val_metrics: Sequence[Any],
        optimizer: AdamW,
        batch_processor: BatchProcessor,
        num_epochs: int,
        callbacks: Sequence[pl.Callback],
        model_convert_pipeline: ModelConvertPipeline | None = None,
        device: str | None = None,
        sync_bn: bool = False,
        train_metrics: LossShow | None = None,
        seed: int = 0,
        num_devices: int = 1,
        num_steps: int | None = None,
    ) -> None:
        self.model = model
        self.data_loader = data_loader
        self.val_data_loader = val_data_loader
        self.val_metrics = list(val_metrics)
        self.optimizer = optimizer
        self.batch_processor = batch_processor
        self.num_epochs = num_epochs
        self.callbacks = list(callbacks)
        self.model_convert_pipeline = model_convert_pipeline
        self.device = device
        self.sync_bn = sync_bn
        self.train_metrics = train_metrics
        self.seed = seed
        self.num_devices = num_devices
        self.num_steps = num_steps

    def fit(
        self,
        run_dir: Path,
        resume_from: ResumePoint | None = None,
        *,
        identity: Mapping[str, str] | None = None,
        on_data: Callable[[DataLoader, DataLoader], None] | None = None,
    ) -> dict[str, dict[str, float]]:
        """Train to the end and return the last validation's results by metric; empty when nothing was left
        to train.

        Args:
            run_dir: where checkpoints and TensorBoard files go.
            resume_from: goes on from there instead of from initial weights.
            identity: written into each checkpoint.
            on_data: told the two loaders before training starts.

        Raises:
            RunError: bad checkpoint, loss that is not finite, full disk.
            KeyboardInterrupt: Ctrl-C; Lightning has shut down cleanly.
        """
        device = resolve_device(self.device)
        seed_everything(self.seed)
        model = self._initial_model(resume_from, run_dir.parent.parent)
        if resume_from is not None and self._is_complete(resume_from):
            say("this run has reached its last step, nothing is left to train")
            return {}
        train_loader, val_loader = self.data_loader(), self.val_data_loader()
        if on_data is not None:
            on_data(train_loader, val_loader)
        callbacks = self._ordered_callbacks(RunCheckpoints(run_dir / "checkpoints", identity))
        validates = any(isinstance(callback, Validation) for callback in callbacks)
        if validates:
            prepare_metrics(self.val_metrics, val_loader)
        module = TrainingModule(
            model=model,
            metrics=self.val_metrics,
            train_loader=train_loader,
            val_loader=val_loader if validates else None,
            build_optimizer=partial(self.optimizer.build, fused=self.batch_processor.allows_fused_optimizer),
            plan=partial(self._plan, resume_from),
            restore=None if resume_from is None else partial(restore_trainer_state, state=resume_from.state),
            output_digest=_output_digest(model),
        )
        trainer = lightning_trainer(
            device,
            self.num_devices,
            self.batch_processor,
            callbacks=callbacks,
            logger=TensorBoardLogger(run_dir, name="", version="tensorboard")
            if any(isinstance(callback, TensorBoard) for callback in callbacks)
            else False,
            # Lightning counts from this start on.
            max_epochs=-1
            if self.num_steps is not None
            else self.num_epochs - (resume_from.epoch if resume_from else 0),
            max_steps=-1
            if self.num_steps is None
            else self.num_steps - (resume_from.step if resume_from else 0),
            sync_batchnorm=self.sync_bn and self.num_devices > 1 and device.startswith("cuda"),
            limit_val_batches=None if validates else 0,
        )
        try:
            interruptible(trainer, lambda: trainer.fit(module))
        finally:
            stop_workers(train_loader)
        return module.results

    def evaluate(
        self,
        checkpoint: Path | None,
        *,
        num_samples: int | None = None,
        callbacks: Sequence[pl.Callback] = (),
    ) -> Evaluation:
        """Evaluate the weights of `checkpoint` on the validation loader; None takes the initial weights.

        Args:
            checkpoint: `.safetensors`, or a torch archive of plain tensors.
            num_samples: only the first so many samples.
            callbacks: see each batch and its predictions in `on_validation_batch_end`.

        Raises:
            RunError: the checkpoint cannot be read, or is one of another model.
        """
        seed_everything(self.seed)
        weights = None if checkpoint is None else read_state_dict(checkpoint)
        model = self._model_of(weights, str(checkpoint))
        return evaluate_model(
            model,
            limit_samples(self.val_data_loader(), num_samples),
            self.val_metrics,
            device=resolve_device(self.device),
            num_devices=self.num_devices,
            batch_processor=self.batch_processor,
            callbacks=callbacks,
            output_digest=_output_digest(model),
        )

    def _model_of(self, weights: Mapping[str, Tensor] | None, place: str) -> nn.Module:
        return stage_model(self.model, self.model_convert_pipeline, weights, place=place)

    def _is_complete(self, point: ResumePoint) -> bool:
        """Whether nothing is left to do; Lightning would take a length of 0 or less for one without end."""
        return point.epoch >= self.num_epochs if self.num_steps is None else point.step >= self.num_steps

    def _initial_model(self, resume_from: ResumePoint | None, experiment: Path) -> nn.Module:
        if resume_from is not None:
            return self._model_of(resume_from.weights, str(resume_from.path))
        model = self.model()
        if self.model_convert_pipeline is not None:
            model = self.model_convert_pipeline(model, experiment=experiment)
        return model

    def _ordered_callbacks(self, store: RunCheckpoints) -> list[pl.Callback]:
        """The spec's callbacks, checkpoints last: what they save includes what the others did in the same
        hook."""
        callbacks = list(self.callbacks)
        if self.train_metrics is not None and not any(
            isinstance(callback, LossShow) for callback in callbacks
        ):
            callbacks.append(self.train_metrics)
        for callback in callbacks:
            if isinstance(callback, Checkpoint):
                callback.store = store
        return sorted(callbacks, key=lambda callback: isinstance(callback, Checkpoint))

    def _plan(self, resume_from: ResumePoint | None, steps_per_epoch: int) -> TrainingPlan:
        steps = self.num_steps if self.num_steps is not None else self.num_epochs * steps_per_epoch
        return TrainingPlan(
            start_epoch=resume_from.epoch if resume_from else 0,
            start_step=resume_from.step if resume_from else 0,
            total_epochs=math.ceil(steps / max(steps_per_epoch, 1)),
            total_steps=steps,
            steps_per_epoch=steps_per_epoch,
            seed=self.seed,
        )


def _output_digest(model: nn.Module) -> OutputDigest | None:
    """For fixed point, whose bits repeat anywhere."""
    return None if find_graph(model) is None else OutputDigest()
