"""What the stages share that judge a file of an earlier stage on samples."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import lightning.pytorch as pl
from torch import nn
from torch.utils.data import DataLoader

from runtime.atomic_file import write_json
from runtime.deployment.made_files import find_made
from runtime.errors import RunError
from runtime.models.structure import BevStructure
from runtime.training.device import resolve_device
from runtime.training.evaluation import Evaluation, limit_samples
from runtime.training.evaluation_progress import EvaluationProgress
from runtime.training.metric_values import headline
from runtime.training.report import duration, say
from runtime.training.run_directory import RunDirectory


class FilePredictor(ABC):
    """Judges the file of an earlier stage on the validation samples.

    Attributes:
        takes: the stage that makes the file.
        file: its name in the run of that stage.
        kind: what it is, in words.

    Args:
        model: builds the float model, whose sampling points and decoders are the host's part.
        val_data_loader: builds the evaluation loader.
        val_metrics: metrics, each for the decoder of its `name`.
        device: `cpu`, `cuda`, `cuda:1`; None takes a GPU when there is one.
    """

    takes: ClassVar[str]
    file: ClassVar[str]
    kind: ClassVar[str]

    def __init__(
        self,
        *,
        model: Callable[[], nn.Module],
        val_data_loader: Callable[[], DataLoader],
        val_metrics: Sequence[Any],
        device: str | None = None,
    ) -> None:
        self.model = model
        self.val_data_loader = val_data_loader
        self.val_metrics = list(val_metrics)
        self.device = device
        self.num_devices = 1
        self.seed = 0  # nothing is drawn

    @abstractmethod
    def judge(
        self,
        path: Path,
        structure: BevStructure,
        loader: DataLoader,
        *,
        device: str,
        callbacks: Sequence[pl.Callback],
    ) -> tuple[Evaluation, dict[str, Any]]:
        """The metrics of a file on a loader, and what else the stage has found, by its key in the record.

        Raises:
            RunError: the file or the data are not what they should be.
        """

    def sources(self, experiment: Path) -> dict[str, Path]:
        """See `StageTool`."""
        return {self.takes: find_made(experiment, self.takes, self.file)}

    def work(self, run: RunDirectory, sources: Mapping[str, Path]) -> dict[str, Any]:
        """See `StageTool`; writes `metrics.json`, and adds the metrics, what they were measured on, and what
        else was found.

        Raises:
            RunError: see `evaluate`.
        """
        found, more = self._evaluate(sources[self.takes], None, [EvaluationProgress()])
        say(f"evaluated {found.num_samples} samples in {duration(found.seconds)}: {headline(found.metrics)}")
        metrics = {"best": {"metrics": found.metrics, "output_digest": found.output_digest}}
        write_json(run.path / "metrics.json", {**metrics, **more})
        val = {"split": found.split, "num_samples": found.num_samples, "digest": found.digest}
        return {"metrics": metrics, **more, "inputs": {**run.record["inputs"], "val": val}}

    def evaluate(
        self,
        checkpoint: Path | None,
        *,
        num_samples: int | None = None,
        callbacks: Sequence[pl.Callback] = (),
    ) -> Evaluation:
        """Judge a file on the validation loader.

        Args:
            checkpoint: the file.
            num_samples: only the first so many samples.
            callbacks: see each batch and its predictions in `on_validation_batch_end`.

        Raises:
            RunError: no such file; otherwise see `judge`.
        """
        return self._evaluate(checkpoint, num_samples, callbacks)[0]

    def _evaluate(
        self, checkpoint: Path | None, num_samples: int | None, callbacks: Sequence[pl.Callback]
    ) -> tuple[Evaluation, dict[str, Any]]:
        structure = self.model()
        if checkpoint is None or not isinstance(structure, BevStructure):
            raise RunError(f"there is no {self.kind} of a {type(structure).__name__} to evaluate")
        loader = limit_samples(self.val_data_loader(), num_samples)
        device = resolve_device(self.device)
        return self.judge(checkpoint, structure, loader, device=device, callbacks=callbacks)
