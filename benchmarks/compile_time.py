"""What the compiler takes and makes of the full-size model, for every march, level and objective.

    python -m benchmarks.compile_time [EXPERIMENT] [--image-size H W] [--march NAME ...] [--level N ...]

Prints the seconds of a compilation (aim: under 60), instructions of one frame, megabytes of DDR that they
move, megabytes of DDR that are used, the peak on the chip, also over the most bytes that live at one time
(aim: at most 1.15), and the cycles of a frame by the timeline. Weights are random: nothing here depends on
them. A march that does not run the model says why.
"""

from __future__ import annotations

import argparse
import sys
import time
from itertools import product
from pathlib import Path
from typing import get_args

import torch

from benchmarks.hbir_cost import VIEWS, exported
from runtime.bpu.compiler import CompilerOptions
from runtime.bpu.compiler.compile import assembled, placements_of
from runtime.bpu.compiler.options import Level, Objective
from runtime.bpu.march import load_march, march_names
from runtime.bpu.march_data import March
from runtime.bpu.performance.timeline import timeline
from runtime.deployment.model_checker import random_frame
from runtime.errors import RunError
from runtime.hbir.graph import Graph

_HEAD = (
    f"{'march':<11}{'level':>6}  {'objective':<10}{'seconds':>8}{'instructions':>14}"
    f"{'moved MB':>10}{'DDR MB':>8}{'chip KiB':>10}{'over bound':>12}{'Mcycles':>9}"
)


def main() -> None:
    """Compile and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("experiment", nargs="?", type=Path, default=Path("experiments/bev_ipm"))
    parser.add_argument("--image-size", nargs=2, type=int, default=(512, 960), metavar=("H", "W"))
    parser.add_argument("--march", nargs="+", default=list(march_names()), metavar="NAME")
    parser.add_argument("--level", nargs="+", type=int, default=list(get_args(Level)), metavar="N")
    arguments = parser.parse_args()
    graph = graph_of(arguments.experiment, (arguments.image_size[0], arguments.image_size[1]))
    print(_HEAD)
    for name in arguments.march:
        march = load_march(name)
        try:
            for level, objective in product(arguments.level, get_args(Objective)):
                print(row(graph, march, CompilerOptions(level, objective)), flush=True)
        except RunError as error:
            print(f"{name:<11}{error.place or ''}: {error.message}")


def graph_of(experiment: Path, size: tuple[int, int]) -> Graph:
    """The graph of an experiment's model, calibrated on one random frame."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    sys.path.insert(0, str(experiment.resolve()))
    from model import build_model  # type: ignore[import-not-found]

    model = build_model().eval()
    return exported(model, size, random_frame(model, image_size=size, num_views=VIEWS))


def row(graph: Graph, march: March, options: CompilerOptions) -> str:
    """One line of the table."""
    started = time.perf_counter()
    placements = placements_of(graph, march, options)
    program = assembled(graph, march, options, placements)
    seconds = time.perf_counter() - started
    found = [placement.allocation for placement in placements]
    count = sum(block.turns * len(block.instructions) for block in program.blocks)
    moved = sum(
        block.turns * sum(x.output.bytes for x in block.instructions if x.moves) for block in program.blocks
    )
    ratio = max(allocation.peak / allocation.lower_bound for allocation in found)
    return (
        f"{march.name:<11}{options.optimization_level:>6}  {options.objective:<10}{seconds:>8.1f}{count:>14}"
        f"{moved / 1e6:>10.1f}{program.ddr_bytes / 1e6:>8.1f}"
        f"{max(allocation.peak for allocation in found) / 1024:>10.0f}{ratio:>12.3f}"
        f"{timeline(program).cycles / 1e6:>9.2f}"
    )


if __name__ == "__main__":
    main()
