"""Lightning's trainer as every stage uses it."""

import signal
from collections.abc import Callable
from typing import Any

import lightning.pytorch as pl

from runtime.training.batch_processor import BatchProcessor
from runtime.training.device import lightning_device_arguments


def lightning_trainer(
    device: str, num_devices: int, batch_processor: BatchProcessor, **arguments: Any
) -> pl.Trainer:
    """A trainer without what the runs do themselves: checkpoints, progress, sampling over ranks."""
    return pl.Trainer(
        **lightning_device_arguments(device, num_devices),
        **batch_processor.lightning_arguments(device),
        num_sanity_val_steps=0,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        # Sampling over ranks is the loader's own affair; it is what makes resuming exact.
        use_distributed_sampler=False,
        **arguments,
    )


def interruptible(trainer: pl.Trainer, work: Callable[[], Any]) -> None:
    """Lightning turns Ctrl-C into `SystemExit` after shutting down; here it becomes `KeyboardInterrupt`
    again."""
    try:
        work()
    except BaseException as error:
        # The other processes of the run wait for this one in a collective operation, and would for minutes.
        kill = getattr(trainer.strategy.launcher, "kill", None)
        if kill is not None:
            kill(signal.SIGKILL)
        if not (isinstance(error, SystemExit) and trainer.interrupted):
            raise
        signal.signal(signal.SIGINT, signal.default_int_handler)
        raise KeyboardInterrupt from error
