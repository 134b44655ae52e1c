"""`specgen export`: the fixed-point model as a file for other programs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from specgen.cli.hbir_argument import hbir_file


class Format(StrEnum):
    """What is written."""

    QDQ = "qdq"
    HBIR = "hbir"


class Batch(StrEnum):
    """How many samples a QDQ file takes at once."""

    ONE = "one"
    DYNAMIC = "dynamic"


def export(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="the file to write")],
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="EXPERIMENT|FILE", help="experiment, its newest export is taken; or a `model.hbir.onnx`"
        ),
    ] = None,
    file_format: Annotated[
        Format,
        typer.Option(
            "--format", help="`qdq`: standard ONNX for other toolchains; `hbir`: the exact file, checked"
        ),
    ] = Format.QDQ,
    batch: Annotated[
        Batch, typer.Option("--batch", help="samples that a QDQ file takes at once")
    ] = Batch.ONE,
    force: Annotated[bool, typer.Option("--force", help="replace the file if it is there")] = False,
) -> None:
    """Write the exported fixed-point model as standard QDQ ONNX, or as the exact HBIR file."""
    if file_format is Format.HBIR and batch is not Batch.ONE:
        raise typer.BadParameter(
            "an HBIR file is of one sample: executors take any number", param_hint="--batch"
        )
    path = hbir_file(source)
    _check_free(out, path, force)
    _write(path, out, file_format, batch)
    typer.echo(f"{out}: {file_format.value} of {path}, {out.stat().st_size / 1e6:.1f} MB")


def _check_free(out: Path, source: Path, force: bool) -> None:
    from runtime.errors import RunError

    if out.exists() and source.exists() and out.samefile(source):
        raise RunError(
            "this is the file that is exported", place=str(out), hint="name another one with `--out`"
        )
    if out.is_dir():
        raise RunError("this is a folder", place=str(out), hint="name a file with `--out`")
    if out.exists() and not force:
        raise RunError("the file is there already", place=str(out), hint="replace it with `--force`")


def _write(source: Path, out: Path, file_format: Format, batch: Batch) -> None:
    from runtime.hbir.onnx_file import read_graph, write_graph
    from runtime.hbir.qdq.qdq_file import write_qdq

    graph = read_graph(source)
    if file_format is Format.HBIR:
        write_graph(out, graph)
    else:
        write_qdq(out, graph, any_batch=batch is Batch.DYNAMIC)
