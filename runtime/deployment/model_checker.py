"""The stage `check`: whether the chip runs the network, before anything is trained."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from runtime.atomic_file import write_bytes, write_json
from runtime.bpu.checker.check import check_graph
from runtime.bpu.checker.json_report import json_report
from runtime.bpu.checker.report import CheckReport
from runtime.bpu.checker.text_report import text_report
from runtime.bpu.march import load_march
from runtime.deployment.exported_graph import exported_graph
from runtime.errors import RunError
from runtime.hbir.graph import Graph
from runtime.models.structure import BevStructure
from runtime.quantization.calibration import finish_observing, start_observing
from runtime.training.convert import ModelConvertPipeline
from runtime.training.quantization_converters import Float2Calibration
from runtime.training.report import duration, note, say, show
from runtime.training.run_directory import RunDirectory
from runtime.training.seeding import seed_everything

PLACEHOLDERS = (
    "weights are initial ones and scales are those of one random frame: widths, shapes and rules are judged, "
    "no number of the trained model"
)


class ModelChecker:
    """Holds the untrained network against a march; needs neither data nor a checkpoint.

    Args:
        model: builds the float model.
        march: name of the chip.
        model_convert_pipeline: quantises the model; what it would load is not loaded.
        strict: a node that falls to the CPU is an error.
        seed: of the initial weights and of the random frame.
    """

    def __init__(
        self,
        *,
        model: Callable[[], nn.Module],
        march: str,
        model_convert_pipeline: ModelConvertPipeline,
        strict: bool = False,
        seed: int = 0,
    ) -> None:
        self.model = model
        self.march = march
        self.model_convert_pipeline = model_convert_pipeline
        self.strict = strict
        self.seed = seed

    def sources(self, experiment: Path) -> dict[str, Path]:
        """See `StageTool`: none."""
        return {}

    def work(self, run: RunDirectory, sources: Mapping[str, Path]) -> dict[str, Any]:
        """See `StageTool`; writes `check.json` and `check.txt`, prints the text, adds the verdict.

        Raises:
            RunError: an unknown march; a network that does not run, or in `strict` not all of it on the BPU.
        """
        started = time.perf_counter()
        report = self.report()
        text = text_report(report)
        write_json(run.path / "check.json", {**json_report(report), "placeholders": PLACEHOLDERS})
        write_bytes(run.path / "check.txt", f"{text}\n{PLACEHOLDERS}\n".encode())
        show(text.removesuffix("\n"))
        say(PLACEHOLDERS)
        say(f"checked in {duration(time.perf_counter() - started)}: {run.path / 'check.txt'}")
        if not report.runs or (self.strict and not report.fits):
            raise RunError(
                f"{report.verdict} on {report.march.name}",
                place=str(run.path / "check.txt"),
                hint=None if not report.runs else "without `strict` the CPU's share is a warning",
            )
        if not report.fits:
            say(f"warning: {report.verdict} on {report.march.name}")
        return {"check": {"march": report.march.name, "verdict": report.verdict, "places": report.places}}

    def report(self) -> CheckReport:
        """What the checker says of the network, also where the network has no fixed-point form.

        Raises:
            RunError: an unknown march.
        """
        march = load_march(self.march)
        seed_everything(self.seed)
        model = self.model()
        try:
            graph = self._graph(model)
        except RunError as error:
            return CheckReport(march, refusal=str(error).removeprefix("error: "))
        except RuntimeError as error:
            # What torch cannot trace, such as branches on values, it says in errors of its own.
            note("".join(traceback.format_exception(error)).rstrip())
            return CheckReport(march, refusal=f"torch cannot trace the network: {error}")
        return check_graph(graph, march)

    def _graph(self, model: nn.Module) -> Graph:
        pipeline = self.model_convert_pipeline
        converted = pipeline.structure(model)
        converter = next(one for one in pipeline.converters if isinstance(one, Float2Calibration))
        assert isinstance(converted, BevStructure)  # the converter takes no other
        frame = random_frame(converted, image_size=converter.image_size, num_views=converter.num_views)
        converted.eval()
        start_observing(converted)
        with torch.no_grad():
            converted.raw_outputs(**frame)
        finish_observing(converted)
        return exported_graph(converted, pipeline)


def random_frame(model: BevStructure, *, image_size: tuple[int, int], num_views: int) -> dict[str, Tensor]:
    """Normalised images (V, 3, H, W), and points (V, h, w, 2) all over the features, of one sample."""
    transform = model.view_transformer
    height, width = transform.feature_shape(image_size)
    shape = (num_views, *transform.grid.shape)
    points = torch.stack([torch.rand(shape) * width, torch.rand(shape) * height], dim=-1)
    scale = transform.grid_quant_scale
    img = torch.randint(-128, 128, (num_views, 3, *image_size)) / 128
    return {"img": img, "points": (points / scale).floor() * scale}
