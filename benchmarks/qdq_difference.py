"""How far onnxruntime's result of the QDQ file is from the exact one, on validation samples.

    python benchmarks/qdq_difference.py [EXPERIMENT] [--file FILE] [--num-samples N] [--threads N]

Of `model.hbir.onnx` (of the newest run of stage `export`, or of FILE) are run: HBIR itself; its QDQ model in
onnxruntime without graph optimisation, in floating point; and with all of it, which puts int8 kernels in the
place of what they fit. Prints for each the metrics, the share of results that are not the accumulator that
HBIR has, the largest difference in parts of the largest result of that output, and the ratio of signal to
difference. Metrics are the point: a result is a sum of hundreds of products, which moves when one code does.
"""

from __future__ import annotations

import argparse
import copy
import math
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor

from runtime.deployment.made_files import HBIR_FILE, find_made
from runtime.hbir.codes import decode, encode
from runtime.hbir.executor import TorchExecutor
from runtime.hbir.graph import Graph
from runtime.hbir.onnx_file import read_graph
from runtime.hbir.qdq.translate import to_qdq
from runtime.training.evaluation import limit_samples, prepare_metrics

LEVELS = {
    "not optimised": onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL,
    "optimised": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL,
}
HEADLINES = {"bev_det": "NDS", "bev_seg": "mIoU"}
EXACT = "HBIR"


class Difference:
    """Of real results from exact ones, over all batches."""

    def __init__(self) -> None:
        self.differing = self.results = 0
        self.largest: dict[str, float] = {}
        self.range: dict[str, float] = {}
        self.signal = self.noise = 0.0

    def add(self, graph: Graph, codes: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> None:
        """Take in a batch: exact integers, and float32 results."""
        for name, exact in codes.items():
            scale = torch.tensor(graph.types[name].scale, dtype=torch.float64)
            scale = scale.view(-1, *[1] * (exact.dim() - 2)) if len(scale) > 1 else scale
            units = found[name].double() / scale
            self.differing += int((units.round() != exact).sum())
            self.results += exact.numel()
            off, real = (units - exact) * scale, exact * scale
            self.largest[name] = max(self.largest.get(name, 0.0), float(off.abs().max()))
            self.range[name] = max(self.range.get(name, 0.0), float(real.abs().max()))
            # Results differ in units: each counts in parts of its own power.
            self.signal += float((real**2).sum() / (real**2).mean())
            self.noise += float((off**2).sum() / (real**2).mean())

    def __str__(self) -> str:
        worst = max(self.largest[name] / self.range[name] for name in self.range)
        ratio = 10 * math.log10(self.signal / self.noise) if self.noise else math.inf
        return f"{self.differing / self.results:9.4%} {worst:9.2%} {ratio:8.1f} dB"


class Session:
    """A QDQ model in onnxruntime."""

    def __init__(self, graph: Graph, level: Any, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.graph_optimization_level = level
        options.log_severity_level = 3
        with tempfile.TemporaryDirectory() as folder:
            options.optimized_model_filepath = str(Path(folder) / "optimised.onnx")
            model = to_qdq(graph, any_batch=True).SerializeToString()
            self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
            self.kernels = Counter(
                node.op_type for node in onnx.load(options.optimized_model_filepath).graph.node
            )
        self.names = [output.name for output in self.session.get_outputs()]

    def __call__(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """float32 inputs to float32 results."""
        feeds = {name: np.ascontiguousarray(value.numpy()) for name, value in inputs.items()}
        found = self.session.run(self.names, feeds)
        return {name: torch.from_numpy(value) for name, value in zip(self.names, found, strict=True)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("experiment", nargs="?", type=Path, default=Path("experiments/bev_ipm_tiny"))
    parser.add_argument("--file", type=Path, help="this HBIR file")
    parser.add_argument("--num-samples", type=int)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    graph = read_graph(arguments.file or find_made(arguments.experiment, "export", HBIR_FILE))
    sessions = {name: Session(graph, level, arguments.threads) for name, level in LEVELS.items()}
    for name, session in sessions.items():
        convs = {kind: count for kind, count in session.kernels.items() if "Conv" in kind}
        print(f"onnxruntime {onnxruntime.__version__}, {name}: {convs}")
    sys.path.insert(0, str(arguments.experiment.resolve()))
    from stages.calibration import build_trainer  # type: ignore[import-not-found]

    compare(graph, sessions, build_trainer(), arguments.num_samples)


@torch.no_grad()
def compare(graph: Graph, sessions: Mapping[str, Session], trainer: Any, num_samples: int | None) -> None:
    """Run everything on the same batches of the validation loader, and print a table."""
    loader = limit_samples(trainer.val_data_loader(), num_samples)
    structure, exact = trainer.model().eval(), TorchExecutor(graph)
    metrics = {name: copy.deepcopy(trainer.val_metrics) for name in (EXACT, *sessions)}
    for judged in metrics.values():
        prepare_metrics(judged, loader)
    differences = {name: Difference() for name in sessions}
    for batch in loader:
        inputs = dict(zip(("img", "points"), structure.deployed_inputs(batch), strict=True))
        codes = exact(encode(graph, inputs))
        results = {EXACT: decode(graph, codes)}
        for name, session in sessions.items():
            results[name] = session(inputs)
            differences[name].add(graph, codes, results[name])
        for name, result in results.items():
            predictions = structure.decode(result)
            for metric in metrics[name]:
                metric.update(predictions[metric.name], batch)
    print(f"{len(loader.dataset)} samples       {'NDS':>8} {'mIoU':>8}  differing   largest      ratio")
    for name, judged in metrics.items():
        values = {metric.name: metric.compute() for metric in judged}
        figures = " ".join(f"{values[task][key]:8.4f}" for task, key in HEADLINES.items())
        print(f"{name:<18} {figures}  {differences.get(name, '')}")


if __name__ == "__main__":
    main()
