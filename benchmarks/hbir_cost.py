"""What the fixed-point graph costs: ratios to the float model on the same images, measured in turns.

    python benchmarks/hbir_cost.py [EXPERIMENT] [--image-size H W] [--rounds N] [--threads N]

Prints the seconds of an export, whether both executors give the same codes, and one frame through the torch
executor (aim: at most 2.0 times float) and through onnxruntime over one through the float model. Weights and
images are random: times do not depend on them. A ratio is the median of all rounds; all take turns within
each, so that a busy machine is busy for all.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from runtime.deployment.model_checker import random_frame
from runtime.hbir.codes import encode
from runtime.hbir.executor import TorchExecutor
from runtime.hbir.export.from_program import graph_of_program
from runtime.hbir.graph import Graph
from runtime.hbir.onnxruntime_executor import OnnxRuntimeExecutor
from runtime.models.structure import BevStructure, DeployedModel
from runtime.quantization.calibration import finish_observing, start_observing
from runtime.quantization.config import QuantizationConfig, QuantizationRule
from runtime.quantization.convert import convert_structure
from runtime.quantization.export_program import PREFIX, export_structure, module_aliases
from runtime.quantization.fold_bn import fold_batch_norm

VIEWS = 6
RULES = [QuantizationRule(match="img", bits=8, scale=1 / 128), QuantizationRule(op="output", bits=32)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("experiment", nargs="?", type=Path, default=Path("experiments/bev_ipm"))
    parser.add_argument("--image-size", nargs=2, type=int, default=(512, 960), metavar=("H", "W"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    sys.path.insert(0, str(arguments.experiment.resolve()))
    from model import build_model  # type: ignore[import-not-found]

    size = (arguments.image_size[0], arguments.image_size[1])
    float_model, fixed = build_model().eval(), build_model().eval()
    frame = random_frame(fixed, image_size=size, num_views=VIEWS)
    started = time.perf_counter()
    graph = exported(fixed, size, frame)
    print(f"calibration on one frame and export {time.perf_counter() - started:.1f} s")
    codes = encode(graph, frame)
    by_torch = TorchExecutor(graph)
    by_onnx = OnnxRuntimeExecutor(graph, threads=arguments.threads)
    first, second = by_torch(codes), by_onnx(codes)
    differing = sum(int((first[name] != second[name]).sum()) for name in first)
    print(
        f"{differing} of {sum(found.numel() for found in first.values())} codes differ between the executors"
    )
    runs: dict[str, Callable[[], object]] = {
        "float": lambda: float_model.raw_outputs(**frame),
        "torch executor": lambda: by_torch(codes),
        "onnxruntime": lambda: by_onnx(codes),
    }
    with torch.inference_mode():
        times = in_turns(runs, arguments.rounds)
    print(f"{arguments.experiment.name}, {size[0]} x {size[1]}, {arguments.threads} thread(s)")
    for name, seconds in times.items():
        ratio = statistics.median(s / f for s, f in zip(seconds, times["float"], strict=True))
        print(f"{name:<16}{statistics.median(seconds):8.3f} s  {ratio:5.2f} x float")


def exported(model: BevStructure, size: tuple[int, int], frame: dict[str, Tensor]) -> Graph:
    """The graph of a model that is calibrated on one frame."""
    fold_batch_norm(model)
    convert_structure(model, QuantizationConfig(rules=RULES), image_size=size, num_views=VIEWS)
    start_observing(model)
    with torch.no_grad():
        model.raw_outputs(**frame)
    finish_observing(model)
    program = export_structure(model, image_size=size, num_views=VIEWS)
    return graph_of_program(program, prefix=PREFIX, aliases=module_aliases(DeployedModel(model)))


def in_turns(runs: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each of `rounds` calls, after one that is not counted."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, run in runs.items():
            started = time.perf_counter()
            run()
            if number:
                times[name].append(time.perf_counter() - started)
    return times


if __name__ == "__main__":
    main()
