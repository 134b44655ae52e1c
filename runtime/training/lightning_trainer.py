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
    if num_devices > 1:
        arguments["callbacks"] = [*arguments.get("callbacks", ()), _LeaveAtOnce()]
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


class _LeaveAtOnce(pl.Callback):
    """Ends a run of several processes, when it fails or is to stop, without Lightning's ways of leaving.

    At a SIGTERM Lightning begins a broadcast wherever the process stands, in the midst of other collective
    operations; after an error it moves the model to the host, which waits for the GPU, which may wait for
    what the other processes never begin.
    """

    def __init__(self) -> None:
        self._at_sigterm = signal.getsignal(signal.SIGTERM)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Lightning has just put its own handler before that of the process."""
        signal.signal(signal.SIGTERM, self._at_sigterm)

    on_validation_start = on_train_start

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Goes on with `exception`, to `interruptible`; Lightning comes to no further step."""
        raise exception


def interruptible(trainer: pl.Trainer, work: Callable[[], Any]) -> None:
    """Lightning turns Ctrl-C into `SystemExit` after shutting down; here it becomes `KeyboardInterrupt`
    again."""
    try:
        work()
    except BaseException as error:
        _end_others(trainer)
        if not (isinstance(error, SystemExit) and trainer.interrupted):
            raise
        signal.signal(signal.SIGINT, signal.default_int_handler)
        raise KeyboardInterrupt from error


def _end_others(trainer: pl.Trainer) -> None:
    """They wait for this process in a collective operation, and would for minutes."""
    processes = getattr(trainer.strategy.launcher, "procs", [])
    ended = list(processes)
    processes.clear()  # Lightning looks at this list, and kills the process in which one has failed
    for process in ended:
        process.kill()
