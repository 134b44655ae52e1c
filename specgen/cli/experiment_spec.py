"""Reading the resolved spec that an experiment keeps, for the commands that run something."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from specgen.experiment import Experiment

if TYPE_CHECKING:
    from specgen.document import Node

_SECTIONS = ("model", "data", "stages")


def experiment_spec(experiment: Experiment) -> Node:
    """`spec.yaml` of an experiment.

    Raises:
        typer.Exit: when it is missing, damaged or no resolved spec; the message is printed.
    """
    from specgen.diagnostic import SpecError
    from specgen.load import load
    from specgen.report import rendered
    from specgen.sources import Sources

    path = experiment.folder / "spec.yaml"
    sources = Sources()
    try:
        root = load(path, str(path), sources).root
        lacking = [name for name in _SECTIONS if not root.at(name).is_map]
        problem = f"{path}: error: `{lacking[0]}` is not a map\n" if lacking else ""
    except SpecError as error:
        problem = rendered(error.diagnostics, sources)
    except KeyError as error:
        problem = f"{path}: error: the section `{error.args[0]}` is missing\n"
    if not problem:
        return root
    hint = "hint: this file is generated: build the experiment again with `specgen build`"
    print(f"{problem}{hint}", file=sys.stderr)
    raise typer.Exit(1)
