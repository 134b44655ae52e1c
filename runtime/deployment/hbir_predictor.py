"""The stage `int_infer`: the metrics of the exported file, computed from the integers in it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from torch import nn
from torch.utils.data import DataLoader

from runtime.atomic_file import write_json
from runtime.deployment.hbir_model import HbirModel
from runtime.deployment.made_files import EXPORT, HBIR_FILE, find_made
from runtime.errors import RunError
from runtime.hbir.executor import TorchExecutor
from runtime.hbir.onnx_file import read_graph
from runtime.models.structure import BevStructure
from runtime.training.batch_processor import BatchProcessor
from runtime.training.device import resolve_device
from runtime.training.evaluate_model import evaluate_model
from runtime.training.evaluation import Evaluation, limit_samples
from runtime.training.evaluation_progress import EvaluationProgress
from runtime.training.metric_values import headline
from runtime.training.output_digest import OutputDigest
from runtime.training.report import duration, say
from runtime.training.run_directory import RunDirectory


class HbirPredictor:
    """Judges `model.hbir.onnx` on the validation samples.

    Args:
        model: builds the float model, whose sampling points and decoders are the host's part.
        val_data_loader: builds the evaluation loader.
        val_metrics: metrics, each for the decoder of its `name`.
        device: `cpu`, `cuda`, `cuda:1`; None takes a GPU when there is one.
    """

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

    def sources(self, experiment: Path) -> dict[str, Path]:
        """See `StageTool`."""
        return {EXPORT: find_made(experiment, EXPORT, HBIR_FILE)}

    def work(self, run: RunDirectory, sources: Mapping[str, Path]) -> dict[str, Any]:
        """See `StageTool`; writes `metrics.json`, and adds the metrics and what they were measured on.

        Raises:
            RunError: see `evaluate`.
        """
        found = self.evaluate(sources[EXPORT], callbacks=[EvaluationProgress()])
        say(f"evaluated {found.num_samples} samples in {duration(found.seconds)}: {headline(found.metrics)}")
        say(f"outputs {str(found.output_digest)[:8]}")
        metrics = {"best": {"metrics": found.metrics, "output_digest": found.output_digest}}
        write_json(run.path / "metrics.json", metrics)
        val = {"split": found.split, "num_samples": found.num_samples, "digest": found.digest}
        return {"metrics": metrics, "inputs": {**run.record["inputs"], "val": val}}

    def evaluate(
        self,
        checkpoint: Path | None,
        *,
        num_samples: int | None = None,
        callbacks: Sequence[pl.Callback] = (),
    ) -> Evaluation:
        """Judge an exported file on the validation loader.

        Args:
            checkpoint: a `model.hbir.onnx`.
            num_samples: only the first so many samples.
            callbacks: see each batch and its predictions in `on_validation_batch_end`.

        Raises:
            RunError: no such file, a damaged or foreign one, or one of images of another size.
        """
        structure = self.model()
        if checkpoint is None or not isinstance(structure, BevStructure):
            raise RunError(f"there is no exported file of a {type(structure).__name__} to evaluate")
        device = resolve_device(self.device)
        return evaluate_model(
            HbirModel(structure, TorchExecutor(read_graph(checkpoint), device=device)),
            limit_samples(self.val_data_loader(), num_samples),
            self.val_metrics,
            device=device,
            batch_processor=BatchProcessor(),
            callbacks=callbacks,
            output_digest=OutputDigest(),
        )
