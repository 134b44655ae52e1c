"""The command line. Commands that run something import the runtime when called, not before."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

from specgen.cli.commands import make_app
from specgen.experiment import ExperimentNotFound

if TYPE_CHECKING:
    import typer

    app: typer.Typer


def __getattr__(name: str) -> object:
    """`app`, with every command, for whoever asks."""
    if name == "app":
        return make_app()
    raise AttributeError(f"module `{__name__}` has no attribute `{name}`")


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
        make_app(sys.argv[1:])()
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
