"""The command line. Commands that run something import the runtime when called, not before."""

from __future__ import annotations

import errno
import os
import signal
import sys
from typing import TYPE_CHECKING

from specgen.cli.commands import make_app
from specgen.experiment import ExperimentNotFound
from specgen.printable import printable
from specgen.stage_state import DamagedRecord

if TYPE_CHECKING:
    import typer

    app: typer.Typer

_OUTPUT = "standard output"


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
        try:
            make_app(sys.argv[1:])()
        finally:
            _flush_output()
    except (ExperimentNotFound, DamagedRecord) as error:
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


def _flush_output() -> None:
    """Write out what was printed, while a full disk can still be told.

    Raises:
        OSError: when that fails; it names the standard output, which the error of a write does not.
    """
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError as error:
        # Python tries again at its end, and would print a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno == errno.EPIPE:  # whoever read it has read enough
            sys.exit(1)
        raise OSError(error.errno, error.strerror, _OUTPUT) from None


def _known_error(error: Exception) -> object | None:
    """What a user can mend, as the runtime puts it; asks without importing the runtime."""
    errors = sys.modules.get("runtime.errors")
    if isinstance(error, OSError):
        known = errors.disk_error(error) if errors is not None and error.filename != _OUTPUT else None
        return known or _told(error)
    return error if errors is not None and isinstance(error, errors.RunError) else None


def _told(error: OSError) -> str | None:
    """None for an error that says nothing of the system, as of an installation that is incomplete."""
    if error.strerror is None:
        return None
    place = "" if error.filename is None else f"{error.filename}: "
    return f"error: {printable(place + error.strerror)}"
