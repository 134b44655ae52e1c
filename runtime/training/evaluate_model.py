"""Judges a model on a loader, float or fixed point."""

from collections.abc import Sequence
from typing import Any

import lightning.pytorch as pl
from torch import nn
from torch.utils.data import DataLoader

from runtime.training.batch_processor import BatchProcessor
from runtime.training.evaluation import Evaluation, prepare_metrics, whole_dataset
from runtime.training.lightning_trainer import interruptible, lightning_trainer
from runtime.training.output_digest import OutputDigest
from runtime.training.training_module import TrainingModule


def evaluate_model(
    model: nn.Module,
    loader: DataLoader,
    metrics: Sequence[Any],
    *,
    device: str,
    num_devices: int = 1,
    batch_processor: BatchProcessor,
    callbacks: Sequence[pl.Callback] = (),
    output_digest: OutputDigest | None = None,
) -> Evaluation:
    """The metrics of `model` on `loader`; a quantised model computes in fixed point.

    Args:
        model: with the weights to judge.
        loader: the samples.
        metrics: each for the decoder of its `name`.
        device: where it runs.
        num_devices: processes.
        batch_processor: number format; fixed point has its own.
        callbacks: see each batch and its predictions in `on_validation_batch_end`.
        output_digest: see `TrainingModule`.

    Raises:
        RunError: bad data, or a quantised model that was never calibrated.
    """
    prepare_metrics(metrics, loader)
    module = TrainingModule(model=model, metrics=metrics, val_loader=loader, output_digest=output_digest)
    trainer = lightning_trainer(device, num_devices, batch_processor, callbacks=list(callbacks), logger=False)
    interruptible(trainer, lambda: trainer.validate(module, verbose=False))
    model.to(device)  # Lightning leaves the model on the host
    dataset = whole_dataset(loader)
    return Evaluation(
        metrics=module.results,
        split=str(getattr(dataset, "split", "unknown")),
        num_samples=len(loader.dataset),  # type: ignore[arg-type]
        digest=str(getattr(dataset, "digest", "unknown")),
        line_width=getattr(dataset, "line_width", None),
        seconds=module.evaluation_seconds,
        output_digest=module.output_digest,
    )
