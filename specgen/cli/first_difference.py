"""`specgen debug --first-difference`: where two executors, or two exported models, begin to differ."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from specgen.cli.hbir_argument import hbir_file
from specgen.experiment import find_experiment

if TYPE_CHECKING:
    from torch import Tensor

    from runtime.hbir.graph import Graph

_DEFAULT = "torch"


def print_first_difference(
    sides: tuple[str, str], experiment: str | None, model_inputs: str | None, *, as_json: bool
) -> bool:
    """Compares two runs on the same codes and prints what was found; whether they are equal.

    Args:
        sides: each a file or an experiment, or one with an executor before it, as in `reference:model.onnx`.
        experiment: whose data are meant.
        model_inputs: the sample, as `specgen infer` takes it; None draws codes.
        as_json: print the document instead of sentences.

    Raises:
        RunError: unreadable files, no such sample.
    """
    from runtime.hbir.comparison.report import difference_document, difference_text
    from runtime.hbir.comparison.traced_run import TRACES
    from runtime.hbir.onnx_file import read_graph

    (name_a, path_a), (name_b, path_b) = (_side(given, tuple(TRACES)) for given in sides)
    graph_a = read_graph(path_a)
    graph_b = graph_a if path_a == path_b else read_graph(path_b)
    codes = _drawn(graph_a) if model_inputs is None else _of_sample(graph_a, path_a, experiment, model_inputs)
    document = difference_document(graph_a, TRACES[name_a], graph_b, TRACES[name_b], codes)
    if as_json:
        document |= {
            "a": {"executor": name_a, "file": str(path_a)},
            "b": {"executor": name_b, "file": str(path_b)},
            "inputs": model_inputs or "drawn",
        }
        typer.echo(json.dumps(document, indent=2))
    else:
        typer.echo(f"A: {path_a} by {name_a}")
        typer.echo(f"B: {path_b} by {name_b}")
        typer.echo(f"inputs: {model_inputs or 'random and extreme codes'}")
        typer.echo(difference_text(document))
    return bool(document["equal"])


def _side(given: str, executors: tuple[str, ...]) -> tuple[str, Path]:
    """Executor and file."""
    name, colon, rest = given.partition(":")
    if colon and name in executors:
        return name, hbir_file(rest)
    if colon and not Path(given).exists():
        from runtime.errors import RunError

        known = ", ".join(f"`{executor}:FILE`" for executor in executors)
        raise RunError(f"`{given}` is no file, and `{name}` no executor", hint=f"write FILE, {known}")
    return _DEFAULT, hbir_file(given)


def _drawn(graph: Graph) -> Mapping[str, Tensor]:
    import numpy as np

    from runtime.hbir.comparison.drawn_codes import drawn_codes

    return drawn_codes(graph, np.random.default_rng(0))


def _of_sample(graph: Graph, path: Path, given: str | None, model_inputs: str) -> Mapping[str, Tensor]:
    """Codes of a sample, made by the experiment's own code, which expects to be in the project's folder."""
    from runtime.deployment.infer.sample_codes import sample_codes
    from specgen.cli.infer import absolute_inputs, validation_loader

    found = find_experiment(given)
    inputs, loader, place = absolute_inputs(model_inputs), validation_loader(found), str(path)
    with contextlib.chdir(found.project_root):
        return sample_codes(found.folder, loader, inputs, graph, place=place)
