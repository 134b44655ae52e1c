"""How far the times of compiled programs are from silicon, beside the analytic model's.

    python -m benchmarks.schedule_error             # prints
    python -m benchmarks.schedule_error --write     # and writes the errors into runtime/bpu/marches
    python -m benchmarks.schedule_error --march nash-e

Each measured network is compiled at every level for its chip as the march file has it. The last column is the
honest one: level 2 on the chip that a fit without this network finds (constants and memory size, as in
`latency_fit`). Nothing is fitted to schedules. The networks have no weights here: only their shapes count.
Several minutes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.fitted_march import ENOUGH, mean_absolute
from benchmarks.free_constants import with_constants, with_on_chip_bytes
from benchmarks.march_fits import MarchFit, march_fits
from benchmarks.march_text import march_text
from benchmarks.measurements import Measurement, read_measurements
from benchmarks.networks.catalogue import LAYERS
from benchmarks.robust_fit import fit
from runtime.bpu.compiler import CompilerOptions
from runtime.bpu.compiler.options import Level
from runtime.bpu.estimate.as_graph.network_graph import as_graph
from runtime.bpu.estimate.schedule import schedule_of
from runtime.bpu.graph_operations import operations_of_graph
from runtime.bpu.march import march_path, parse_march
from runtime.bpu.march_data import March
from runtime.bpu.network_cost import network_cost
from runtime.hbir.graph import Graph

_LEVELS: tuple[Level, ...] = (0, 1, 2)
_HOW = (
    "benchmarks/schedule_error.py, networks compiled at level 2 for latency, each for the chip that a fit "
    "without it finds"
)


@dataclass(frozen=True)
class ScheduleErrors:
    """Relative errors of one network's predicted times.

    Args:
        row: the measurement.
        analytic: of the analytic model, operations as they are fitted.
        nodes: of the analytic model, node for node of the graph that is compiled.
        levels: of programs, one a level.
        left_out: of the program of level 2, without this network in the fit; None: it is the only one.
    """

    row: Measurement
    analytic: float
    nodes: float
    levels: tuple[float, ...]
    left_out: float | None


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write the errors into the march files")
    parser.add_argument("--march", help="of this one only")
    arguments = parser.parse_args()
    for one in march_fits(read_measurements()):
        if one.rows and arguments.march in (None, one.march.name):
            errors = march_errors(one)
            print_errors(one.march.name, errors)
            if arguments.write:
                write_errors(one.march.name, errors)


def march_errors(one: MarchFit) -> list[ScheduleErrors]:
    """Of all networks of a march, the checks last."""
    return [row_errors(one, row) for row in (*one.rows, *one.checks)]


def row_errors(one: MarchFit, row: Measurement) -> ScheduleErrors:
    """Of one network, which may be one that is only a check: no fit has seen it."""
    graph = measured_graph(row)

    def error(microseconds: float) -> float:
        return microseconds / row.microseconds - 1

    others = [other for other in one.rows if other is not row]
    left_out = None
    if others:
        chip = _fitted(one, others)
        left_out = error(_microseconds(graph, chip, 2))
    return ScheduleErrors(
        row,
        analytic=error(network_cost(one.march, row.operations).microseconds),
        nodes=error(network_cost(one.march, operations_of_graph(graph)).microseconds),
        levels=tuple(error(_microseconds(graph, one.march, level)) for level in _LEVELS),
        left_out=left_out,
    )


def measured_graph(row: Measurement) -> Graph:
    """The network of a measurement as the compiler takes it."""
    return as_graph(LAYERS[row.network](row.operations[0].in_shapes[0]).graph)


def print_errors(name: str, errors: Sequence[ScheduleErrors]) -> None:
    """One line a network, and the means without the checks."""
    print(f"\n{name}")
    print(
        "  network              use      measured  analytic  as nodes        O0        O1        O2  left out"
    )
    for one in errors:
        numbers = (one.analytic, one.nodes, *one.levels)
        out = "       -" if one.left_out is None else f"{one.left_out:+8.1%}"
        cells = "  ".join(f"{number:+8.1%}" for number in numbers)
        print(
            f"  {one.row.network:18} {one.row.use:7} {one.row.microseconds:9.1f} us  {cells}  {out}",
            flush=True,
        )
    counted = [one for one in errors if one.row.use != "check"]
    columns = [[one.analytic for one in counted], [one.nodes for one in counted]]
    columns += [[one.levels[level] for one in counted] for level in _LEVELS]
    columns.append([one.left_out for one in counted if one.left_out is not None])
    for words, mean in (("mean absolute error", mean_absolute), ("with their signs", _mean)):
        cells = "  ".join(f"{mean(column):8.1%}" if column else "       -" for column in columns)
        print(f"  {words:40}{cells}")


def write_errors(name: str, errors: Sequence[ScheduleErrors]) -> None:
    """Puts `accuracy.schedule` into a march file, or takes it out with too few networks."""
    path = march_path(name)
    document = json.loads(path.read_text(encoding="utf-8"))
    found = {
        one.row.network: round(one.left_out, 4)
        for one in errors
        if one.row.use != "check" and one.left_out is not None
    }
    document["accuracy"].pop("schedule", None)
    if len(found) >= ENOUGH:
        document["accuracy"]["schedule"] = {"left_out": found, "how": _HOW}
    parse_march(document, place=str(path))
    path.write_text(march_text(document), encoding="utf-8")


def _fitted(one: MarchFit, rows: Sequence[Measurement]) -> March:
    found = fit(one.march, rows, one.constants, one.sizes)
    return with_constants(with_on_chip_bytes(one.march, found.on_chip_bytes), found.values)


def _microseconds(graph: Graph, march: March, level: Level) -> float:
    return schedule_of(graph, march, CompilerOptions(level)).microseconds


def _mean(errors: Sequence[float]) -> float:
    return sum(errors) / len(errors)


if __name__ == "__main__":
    main()
