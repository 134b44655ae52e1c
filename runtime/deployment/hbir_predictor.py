"""The stage `int_infer`: the metrics of the exported file, computed from the integers in it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from torch.utils.data import DataLoader

from runtime.deployment.file_predictor import FilePredictor
from runtime.deployment.hbir_model import HbirModel
from runtime.deployment.made_files import EXPORT, HBIR_FILE
from runtime.hbir.executor import TorchExecutor
from runtime.hbir.onnx_file import read_graph
from runtime.models.structure import BevStructure
from runtime.training.batch_processor import BatchProcessor
from runtime.training.evaluate_model import evaluate_model
from runtime.training.evaluation import Evaluation
from runtime.training.output_digest import OutputDigest
from runtime.training.report import say


class HbirPredictor(FilePredictor):
    """Judges `model.hbir.onnx` on the validation samples.

    Args:
        model: builds the float model, whose sampling points and decoders are the host's part.
        val_data_loader: builds the evaluation loader.
        val_metrics: metrics, each for the decoder of its `name`.
        device: `cpu`, `cuda`, `cuda:1`; None takes a GPU when there is one.
    """

    takes, file, kind = EXPORT, HBIR_FILE, "exported file"

    def judge(
        self,
        path: Path,
        structure: BevStructure,
        loader: DataLoader,
        *,
        device: str,
        callbacks: Sequence[pl.Callback],
    ) -> tuple[Evaluation, dict[str, Any]]:
        """See `FilePredictor`.

        Raises:
            RunError: a damaged or foreign file, or one of images of another size.
        """
        found = evaluate_model(
            HbirModel(structure, TorchExecutor(read_graph(path), device=device)),
            loader,
            self.val_metrics,
            device=device,
            batch_processor=BatchProcessor(),
            callbacks=callbacks,
            output_digest=OutputDigest(),
        )
        say(f"outputs {str(found.output_digest)[:8]}")
        return found, {}
