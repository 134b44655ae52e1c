"""The voice of a run: plain lines on stderr, the same lines in the run's `log.txt`."""

import contextlib
import logging
import os
import sys
import time
import warnings
from pathlib import Path
from typing import TextIO

LOGGER = logging.getLogger("runtime")
_ORIGINAL_SHOWWARNING = warnings.showwarning


class _CurrentStderr(logging.Handler):
    """Writes to whatever `sys.stderr` is now: a progress bar replaces it for a while to keep its place at
    the bottom."""

    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record), file=sys.stderr, flush=True)


class _LogFile(logging.FileHandler):
    """A log that goes without the lines for which the disk has no room: whoever saves something says so."""

    def handleError(self, record: logging.LogRecord) -> None:
        pass

    def close(self) -> None:
        with contextlib.suppress(OSError):
            super().close()


def say(text: str) -> None:
    """Print a line for the reader of the run."""
    LOGGER.info(text)


def show(text: str) -> None:
    """Print a result on stdout; nothing more goes there once whoever reads it has read enough, as `head`."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def note(text: str) -> None:
    """Write to the log file alone what the reader of the terminal gets from elsewhere."""
    record = LOGGER.makeRecord(LOGGER.name, logging.INFO, "", 0, text, (), None)
    for handler in LOGGER.handlers:
        if isinstance(handler, logging.FileHandler):
            handler.handle(record)


def complain(error: Exception) -> None:
    """Print the error that ends a process; also where it says nothing else, and before it has a log."""
    if any(isinstance(handler, _CurrentStderr) for handler in LOGGER.handlers):
        LOGGER.error(str(error))
    else:
        print(error, file=sys.stderr, flush=True)


def start_reporting(log_file: Path | None, *, quiet: bool = False) -> None:
    """Send the run's lines, Python warnings and Lightning's warnings to stderr and to `log_file`.

    Args:
        log_file: appended to, each line with the time of day; None for stderr alone.
        quiet: say nothing at all (ranks other than the first).
    """
    stop_reporting()
    handlers: list[logging.Handler] = [logging.NullHandler()]
    if not quiet:
        handlers = [_CurrentStderr()]
        if log_file is not None:
            to_file = _LogFile(log_file, encoding="utf-8")
            to_file.setFormatter(logging.Formatter("%(asctime)s  %(message)s"))
            handlers.append(to_file)
    for name, level in ((LOGGER.name, logging.INFO), ("lightning", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.setLevel(level)
        logger.propagate = False
        logger.handlers = list(handlers)
    # These set a handler and a level of their own when imported.
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.showwarning = _say_warning
    for pattern in (".*does not have many workers.*", ".*log_every_n_steps.*", ".*val_dataloader.*none.*"):
        warnings.filterwarnings("ignore", message=pattern)
    # What Lightning and torch will change among themselves is nothing that the reader of a run can act on.
    warnings.filterwarnings("ignore", module="lightning.*", category=FutureWarning)
    warnings.filterwarnings("ignore", module="lightning.*", category=DeprecationWarning)


def _say_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    LOGGER.warning("warning: %s", " ".join(str(message).split()))


def stop_reporting() -> None:
    """Close the log file and leave the loggers without handlers, as they were."""
    for name in (LOGGER.name, "lightning"):
        logger = logging.getLogger(name)
        for handler in logger.handlers:
            handler.close()
        logger.handlers = []
        logger.propagate = True
    warnings.showwarning = _ORIGINAL_SHOWWARNING


def duration(seconds: float) -> str:
    """`4.2s`, `42s`, `7m05s`, `3h20m`."""
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def utc_now() -> str:
    """The time as `2025-01-31T12:00:00Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
