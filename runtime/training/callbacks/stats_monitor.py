"""How fast training goes: samples a second, time spent waiting for data, memory, time left."""

import resource
import sys
import time
from typing import Any

import lightning.pytorch as pl
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from runtime.training.report import duration, say


class StatsMonitor(pl.Callback):
    """A progress bar on a terminal, a plain line every `log_freq` steps elsewhere.

    Validation and checkpoints are left out of the rate, but not out of the estimate of the time left.

    Args:
        log_freq: optimiser steps between two updates.
    """

    def __init__(self, *, log_freq: int = 50) -> None:
        self.log_freq = log_freq
        self._bar: Progress | None = None
        self._reset()
        self._start_time = 0.0
        self._start_step = 0
        self._shown_step = -1

    def _reset(self) -> None:
        self._samples = 0
        self._waited = 0.0
        self._busy = 0.0
        self._mark = time.perf_counter()

    def on_train_start(self, trainer: pl.Trainer, module: Any) -> None:
        self._reset()
        self._start_time, self._start_step, self._shown_step = time.perf_counter(), module.step, module.step
        if sys.stderr.isatty() and trainer.is_global_zero:
            self._bar = Progress(
                TextColumn("epoch {task.fields[epoch]}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[stats]}"),
                console=Console(file=sys.stderr),
                transient=True,
            )
            self._bar.add_task(
                "train", total=module.plan.total_steps, completed=module.step, epoch="-", stats=""
            )
            self._bar.start()

    def on_train_epoch_start(self, trainer: pl.Trainer, module: Any) -> None:
        self._mark = time.perf_counter()

    def on_train_batch_start(self, trainer: pl.Trainer, module: Any, batch: Any, batch_idx: int) -> None:
        now = time.perf_counter()
        self._waited += now - self._mark
        self._mark = now

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        now = time.perf_counter()
        self._busy += now - self._mark
        self._mark = now
        self._samples += len(batch["token"]) * trainer.world_size
        step = module.step
        if step == self._shown_step or (step % self.log_freq and step != module.plan.total_steps):
            return
        self._shown_step = step
        stats = self._stats(now, step, module)
        if self._bar is None:
            say(f"{module.where}  {stats}")
        else:
            self._bar.update(self._bar.task_ids[0], completed=step, epoch=module.epoch + 1, stats=stats)
        self._reset()

    def on_validation_end(self, trainer: pl.Trainer, module: Any) -> None:
        self._mark = time.perf_counter()

    def teardown(self, trainer: pl.Trainer, module: Any, stage: str) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def on_exception(self, trainer: pl.Trainer, module: Any, exception: BaseException) -> None:
        self.teardown(trainer, module, "fit")

    def _stats(self, now: float, step: int, module: Any) -> str:
        seconds = self._waited + self._busy
        left = (now - self._start_time) / max(step - self._start_step, 1) * (module.plan.total_steps - step)
        return (
            f"{self._samples / seconds:.1f} samples/s  data wait {100 * self._waited / seconds:.0f} %  "
            f"{_memory(module.device)}  ETA {duration(left)}"
        )


def _memory(device: torch.device) -> str:
    """Peak memory: of the GPU when there is one, else of this process."""
    if device.type == "cuda":
        return f"GPU {torch.cuda.max_memory_allocated(device) / 2**30:.1f} GiB"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts KiB, macOS bytes.
    return f"RSS {peak / (2**30 if sys.platform == 'darwin' else 2**20):.1f} GiB"
