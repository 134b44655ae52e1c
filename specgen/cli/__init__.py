"""The command line. Commands that run something import the runtime when called, not before."""

from __future__ import annotations

import signal
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
    interrupts: list[int] = []

    def interrupt(number: int, frame: object) -> None:
        interrupts.append(number)
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, interrupt)
    try:
        app()
    except ExperimentNotFound as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        # Libraries written in C sometimes put an error of their own in place of the `KeyboardInterrupt`.
        if interrupts:
            sys.exit(130)
        known = _known_error(error)
        if known is None:
            raise
        print(known, file=sys.stderr)
        sys.exit(1)


def _known_error(error: Exception) -> Exception | None:
    """What a user can mend, as the runtime puts it; asks without importing the runtime."""
    errors = sys.modules.get("runtime.errors")
    if errors is None:
        return None
    if isinstance(error, OSError):
        found: Exception | None = errors.disk_error(error)
        return found
    return error if isinstance(error, errors.RunError) else None
