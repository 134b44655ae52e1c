"""The command line. Commands that run something import the runtime when called, not before."""

from __future__ import annotations

import sys

import typer

from specgen.cli.build import build
from specgen.cli.calops import calops
from specgen.cli.data import data_app
from specgen.cli.list import list_components
from specgen.cli.predict import predict
from specgen.cli.run import run
from specgen.cli.validate import validate
from specgen.experiment import ExperimentNotFound

app = typer.Typer(
    name="specgen",
    help="From a YAML spec to a readable experiment, and its stages: training, evaluation, pictures.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.command()(build)
app.command()(validate)
app.command("list")(list_components)
app.add_typer(data_app, name="data")
app.command()(run)
app.command()(predict)
app.command()(calops)


def main() -> None:
    """Entry point: exit status 0 fine, 1 something is wrong, 2 usage, 130 interrupted."""
    try:
        app()
    except ExperimentNotFound as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if not _is_run_error(error):
            raise
        print(error, file=sys.stderr)
        sys.exit(1)


def _is_run_error(error: Exception) -> bool:
    """Whether this is a user's mistake that the runtime found; asks without importing the runtime."""
    errors = sys.modules.get("runtime.errors")
    return errors is not None and isinstance(error, errors.RunError)
