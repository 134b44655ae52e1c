"""The stage `export`: a calibrated model becomes a file that any machine runs to the same bits."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from torch import nn

from runtime.deployment.exported_graph import exported_graph
from runtime.deployment.made_files import HBIR_FILE
from runtime.errors import RunError
from runtime.hbir.graph import Graph
from runtime.hbir.onnx_file import write_graph
from runtime.hbir.work import work_of
from runtime.models.structure import BevStructure
from runtime.training.convert import ModelConvertPipeline
from runtime.training.report import duration, say
from runtime.training.run_directory import RunDirectory


class HbirExporter:
    """Writes `model.hbir.onnx`, the fixed-point model with the weights of an earlier stage.

    Args:
        model: builds the float model.
        model_convert_pipeline: quantises the model and loads the calibrated weights.
    """

    def __init__(
        self, *, model: Callable[[], nn.Module], model_convert_pipeline: ModelConvertPipeline
    ) -> None:
        self.model = model
        self.model_convert_pipeline = model_convert_pipeline

    def sources(self, experiment: Path) -> dict[str, Path]:
        """See `StageTool`."""
        return self.model_convert_pipeline.stage_checkpoints(experiment)

    def work(self, run: RunDirectory, sources: Mapping[str, Path]) -> dict[str, Any]:
        """See `StageTool`; adds the digest of the graph, nodes, multiply-accumulates and bytes of constants.

        Raises:
            RunError: see `exported_graph`; a bad checkpoint; a file that cannot be written.
        """
        started = time.perf_counter()
        model = self.model_convert_pipeline(self.model(), experiment=run.experiment)
        if not isinstance(model, BevStructure):
            raise RunError(f"a {type(model).__name__} cannot be exported, only a `BevStructure`")
        graph = exported_graph(model, self.model_convert_pipeline)
        path = run.path / HBIR_FILE
        digest = write_graph(path, graph)
        work = list(work_of(graph))
        totals = {
            "nodes": len(graph.nodes),
            "macs": sum(item.macs for item in work),
            "constant_bytes": sum(item.constants for item in work),
        }
        for line in _tensors(graph):
            say(line)
        say(
            f"{totals['nodes']} nodes, {totals['macs'] / 1e6:.1f} million multiply-accumulates a sample, "
            f"{totals['constant_bytes'] / 1e3:.1f} kB of constants"
        )
        say(f"exported in {duration(time.perf_counter() - started)}: {path}, content {digest[:12]}")
        return {"graph": {"digest": digest, **totals}}


def _tensors(graph: Graph) -> Iterator[str]:
    """A line for each input, and one for all outputs."""
    for tensor in graph.inputs:
        yield f"input {tensor.name}: {tensor.dtype} {tensor.shape}, a code is {tensor.scale[0]:g}"
    types = Counter(graph.types[name].dtype for name in graph.outputs)
    yield f"outputs: {', '.join(f'{count} of {dtype}' for dtype, count in types.items())}"
