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

from runtime.bpu.march import load_march
from runtime.bpu.program.hbm_file import read_hbm
from runtime.deployment.alignment import Alignment
from runtime.deployment.bpu_model import BpuModel
from runtime.deployment.camera_input import InputSource, check_camera_chain, check_input_source
from runtime.deployment.file_predictor import FilePredictor
from runtime.deployment.made_files import COMPILE, HBM_FILE, compiled_from
from runtime.errors import RunError
from runtime.hbir.onnx_file import read_graph
from runtime.models.structure import BevStructure
from runtime.training.batch_processor import BatchProcessor
from runtime.training.evaluate_model import evaluate_model
from runtime.training.evaluation import Evaluation, whole_dataset
from runtime.training.report import say


class BpuPredictor(FilePredictor):
    """Judges `model.hbm` on the validation samples, as the simulated chip runs it.

    Args:
        model: builds the float model, whose sampling points and decoders are the host's part.
        march: name of the chip.
        val_data_loader: builds the evaluation loader.
        val_metrics: metrics, each for the decoder of its `name`.
        input_source: `nv12`, frames with chroma at half the size, or `yuv444`.
        simulated_samples: how many samples, the first ones, are also run instruction by instruction.
        device: `cpu`, `cuda`, `cuda:1`, for whole layers; None takes a GPU when there is one.

    Raises:
        RunError: an unknown source, a negative number of samples.
    """

    takes, file, kind = COMPILE, HBM_FILE, "compiled program"

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
        super().__init__(model=model, val_data_loader=val_data_loader, val_metrics=val_metrics, device=device)
        self.march = march
        self.input_source: InputSource = input_source
        self.simulated_samples = simulated_samples

    def judge(
        self,
        path: Path,
        structure: BevStructure,
        loader: DataLoader,
        *,
        device: str,
        callbacks: Sequence[pl.Callback],
    ) -> tuple[Evaluation, dict[str, Any]]:
        """See `FilePredictor`; the digest is that of equal input, the comparison is under `align`.

        Raises:
            RunError: a damaged or foreign file, one for another march; images that no camera delivers; a
                program that computes something else than was exported.
        """
        program = read_hbm(path, load_march(self.march))
        alignment = Alignment(
            read_graph(compiled_from(path)),
            program,
            simulated_samples=self.simulated_samples,
            device=device,
        )
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
        return replace(found, output_digest=align["output_digest"]), {"align": align}


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
