"""`specgen inspect`: what is in the file of an exported model, or of a compiled one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from specgen.cli.columns import columns
from specgen.cli.hbir_argument import hbir_file

_HBM = ".hbm"


def inspect(
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE|EXPERIMENT",
            help="a `model.hbir.onnx` or `model.hbm`, or an experiment: its newest export",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print everything as JSON")] = False,
    nodes: Annotated[
        int | None,
        typer.Option(
            "--nodes", min=1, metavar="N", help="only the N nodes with the most MACs, or the N slowest layers"
        ),
    ] = None,
) -> None:
    """Show the nodes of an exported model, or the layers of a compiled one, for one sample."""
    compiled = source is not None and source.endswith(_HBM)
    path = Path(source) if compiled and source is not None else hbir_file(source)
    document, text = _compiled(path, nodes) if compiled else _exported(path, nodes)
    if as_json:
        typer.echo(json.dumps(document, indent=2))
        return
    typer.echo(f"file {path}")
    typer.echo(text)


def _exported(path: Path, nodes: int | None) -> tuple[Mapping[str, Any], str]:
    from runtime.hbir.inspection.graph_document import graph_document
    from runtime.hbir.inspection.graph_table import graph_text
    from runtime.hbir.onnx_file import read_graph

    document = graph_document(read_graph(path))
    return document, graph_text(document, nodes=nodes, width=columns())


def _compiled(path: Path, layers: int | None) -> tuple[Mapping[str, Any], str]:
    """The march that it was compiled for is that of its name, as it is today."""
    from runtime.bpu.graph_operations import operations_of_graph
    from runtime.bpu.march import load_march
    from runtime.bpu.performance.report import performance
    from runtime.bpu.performance.text import performance_text
    from runtime.bpu.program.hbm_file import read_hbm
    from runtime.bpu.simulator.verify import verify

    program = read_hbm(path)
    document = performance(program, load_march(program.march), operations_of_graph(verify(program)))
    return document, performance_text(document, **({} if layers is None else {"layers": layers}))
