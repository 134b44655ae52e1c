"""The stage `align_bpu`: the metrics of the compiled program on the frames of a board, and proof that it
computes what was exported."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from torch import nn
from torch.utils.data import DataLoader

from runtime.atomic_file import write_json
from runtime.bpu.march import load_march
from runtime.bpu.program.hbm_file import read_hbm
from runtime.deployment.alignment import Alignment
from runtime.deployment.bpu_model import BpuModel
from runtime.deployment.camera_input import InputSource, check_camera_chain, check_input_source
from runtime.deployment.made_files import COMPILE, HBM_FILE, compiled_from, find_made
from runtime.errors import RunError
from runtime.hbir.onnx_file import read_graph
from runtime.models.structure import BevStructure
from runtime.training.batch_processor import BatchProcessor
from runtime.training.device import resolve_device
from runtime.training.evaluate_model import evaluate_model
from runtime.training.evaluation import Evaluation, limit_samples, whole_dataset
from runtime.training.evaluation_progress import EvaluationProgress
from runtime.training.metric_values import headline
from runtime.training.report import duration, say
from runtime.training.run_directory import RunDirectory


class BpuPredictor:
    """Judges `model.hbm` on the validation samples, as the simulated chip runs it.

    Args:
        model: builds the float model, whose sampling points and decoders are the host's part.
        march: chip, a name or a march file.
        val_data_loader: builds the evaluation loader.
        val_metrics: metrics, each for the decoder of its `name`.
        input_source: `nv12`, frames with chroma at half the size, or `yuv444`.
        simulated_samples: how many samples, the first ones, are also run instruction by instruction.
        device: `cpu`, `cuda`, `cuda:1`, for whole layers; None takes a GPU when there is one.

    Raises:
        RunError: an unknown source, a negative number of samples.
    """

    def __init__(
        self,
        *,
        model: Callable[[], nn.Module],
        march: str,
        val_data_loader: Callable[[], DataLoader],
        val_metrics: Sequence[Any],
        input_source: InputSource = "nv12",
        simulated_samples: int = 1,
        device: str | None = None,
    ) -> None:
        check_input_source(input_source)
        if simulated_samples < 0:
            raise RunError(f"`simulated_samples` is {simulated_samples}, expected at least 0")
        self.model = model
        self.march = march
        self.val_data_loader = val_data_loader
        self.val_metrics = list(val_metrics)
        self.input_source: InputSource = input_source
        self.simulated_samples = simulated_samples
        self.device = device
        self.num_devices = 1
        self.seed = 0  # nothing is drawn

    def sources(self, experiment: Path) -> dict[str, Path]:
        """See `StageTool`."""
        return {COMPILE: find_made(experiment, COMPILE, HBM_FILE)}

    def work(self, run: RunDirectory, sources: Mapping[str, Path]) -> dict[str, Any]:
        """See `StageTool`; writes `metrics.json`, and adds metrics, comparison, and the data of both.

        Raises:
            RunError: see `evaluate`.
        """
        found, align = self._evaluate(sources[COMPILE], None, [EvaluationProgress()])
        say(f"evaluated {found.num_samples} samples in {duration(found.seconds)}: {headline(found.metrics)}")
        metrics = {"best": {"metrics": found.metrics, "output_digest": found.output_digest}}
        write_json(run.path / "metrics.json", {**metrics, "align": align})
        val = {"split": found.split, "num_samples": found.num_samples, "digest": found.digest}
        return {"metrics": metrics, "align": align, "inputs": {**run.record["inputs"], "val": val}}

    def evaluate(
        self,
        checkpoint: Path | None,
        *,
        num_samples: int | None = None,
        callbacks: Sequence[pl.Callback] = (),
    ) -> Evaluation:
        """Judge a program on the validation loader; the digest is that of equal input.

        Args:
            checkpoint: the `model.hbm` of a run.
            num_samples: only the first so many samples.
            callbacks: see each batch and its predictions in `on_validation_batch_end`.

        Raises:
            RunError: no such file, a damaged or foreign one, one for another march; images that no camera
                delivers; a program that computes something else than was exported.
        """
        return self._evaluate(checkpoint, num_samples, callbacks)[0]

    def _evaluate(
        self, checkpoint: Path | None, num_samples: int | None, callbacks: Sequence[pl.Callback]
    ) -> tuple[Evaluation, dict[str, Any]]:
        structure = self.model()
        if checkpoint is None or not isinstance(structure, BevStructure):
            raise RunError(f"there is no compiled program of a {type(structure).__name__} to evaluate")
        device = resolve_device(self.device)
        program = read_hbm(checkpoint, load_march(self.march))
        alignment = Alignment(
            read_graph(compiled_from(checkpoint)),
            program,
            simulated_samples=self.simulated_samples,
            device=device,
        )
        loader = limit_samples(self.val_data_loader(), num_samples)
        check_camera_chain(whole_dataset(loader), alignment.graph)
        found = evaluate_model(
            BpuModel(structure, alignment, self.input_source),
            loader,
            self.val_metrics,
            device=device,
            batch_processor=BatchProcessor(),
            callbacks=callbacks,
        )
        align = {"input_source": self.input_source, **alignment.document()}
        for line in _lines(align):
            say(line)
        return replace(found, output_digest=align["output_digest"]), align


def _lines(align: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"by layers: {align['differing_codes']} of {align['compared_codes']} result codes differ from the "
        f"exported network's on equal input, {align['samples']} samples, outputs {align['output_digest'][:8]}"
    )
    if align["simulated"]:
        yield f"by instructions: equal to the last bit, {align['simulated']} of these samples"
    yield (
        f"images as {align['input_source']}: {align['changed_input_codes']} of {align['input_codes']} codes "
        "differ from what `int_infer` is given"
    )
