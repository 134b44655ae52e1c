"""`specgen calops`: parameters and multiply-accumulates of an experiment's model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from specgen.cli.experiment_model import build_model, input_of
from specgen.experiment import Experiment, find_experiment

if TYPE_CHECKING:
    from runtime.models.operation_count import OperationCount, OperationRow
    from specgen.inference.image_size import ImageSize


def calops(
    experiment: Annotated[
        str | None, typer.Argument(help="experiment directory, or its name under `experiments/`")
    ] = None,
    depth: Annotated[int, typer.Option("--depth", min=1, help="levels of modules to print")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="print every module as JSON")] = False,
) -> None:
    """Count parameters and multiply-accumulates for one six-camera sample, module by module."""
    found = find_experiment(experiment)
    size, num_views = input_of(found)
    count = _count(found, size, num_views)
    print(_as_json(count, size, num_views) if as_json else _as_table(count, size, num_views, depth))


def _count(experiment: Experiment, size: ImageSize, num_views: int) -> OperationCount:
    from runtime.models.operation_count import count_operations

    return count_operations(build_model(experiment), input_hw=(size.height, size.width), num_views=num_views)


def _as_json(count: OperationCount, size: ImageSize, num_views: int) -> str:
    rows = [
        {
            "name": row.name,
            "type": row.type,
            "parameters": row.parameters,
            "macs": row.macs,
            "output": row.output_shape,
        }
        for row in count.rows
    ]
    total = {"parameters": count.parameters, "macs": count.macs}
    return json.dumps(
        {"input": [num_views, 3, size.height, size.width], "modules": rows, "total": total}, indent=1
    )


def _as_table(count: OperationCount, size: ImageSize, num_views: int, depth: int) -> str:
    shown = [row for row in count.rows if row.name.count(".") < depth and (row.macs or row.parameters)]
    width = max(len(_indented(row)) for row in shown)
    lines = [f"{'module':<{width}}  {'type':<26} {'parameters':>11} {'MACs':>10}  output"]
    for row in shown:
        shape = "x".join(str(side) for side in row.output_shape) if row.output_shape else ""
        line = (
            f"{_indented(row):<{width}}  {row.type:<26} {row.parameters:>11,} {_macs(row.macs):>10}  {shape}"
        )
        lines.append(line.rstrip())
    lines.append(f"{'total':<{width}}  {'':<26} {count.parameters:>11,} {_macs(count.macs):>10}")
    lines.append(
        f"for one sample: {num_views} images of 3 x {size}; 1 MAC = one multiplication and one addition"
    )
    return "\n".join(lines)


def _indented(row: OperationRow) -> str:
    return "  " * row.name.count(".") + row.name.rpartition(".")[2]


def _macs(number: int) -> str:
    return f"{number / 1e9:.3f} G" if number >= 1e8 else f"{number / 1e6:.3f} M"
