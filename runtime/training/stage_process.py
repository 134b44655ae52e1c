"""How the process of a stage ends: exit status, messages, and the order in which it leaves."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import torch

from runtime.errors import RunError, disk_error
from runtime.training.report import complain, stop_reporting

_EXIT_FAILED = 1
_EXIT_INTERRUPTED = 130


def end_with(work: Callable[[], None], *, threads: int | None) -> NoReturn:
    """Do the work of a stage as a script's last line; always ends with `SystemExit`.

    Args:
        work: the stage; what a person can mend it raises as `RunError`.
        threads: CPU threads of torch; None leaves torch its own.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    try:
        with _ended_like_ctrl_c():
            status = _status(work)
        sys.exit(status)
    finally:
        stop_reporting()


@contextmanager
def _ended_like_ctrl_c() -> Iterator[None]:
    """A request to end (SIGTERM) leaves the run in the same order as Ctrl-C.

    Only the first: the next ones would interrupt the leaving. When it went to data workers too, torch may
    have told of their end by an error of its own.
    """
    asked = False

    def interrupt(number: int, frame: object) -> None:
        nonlocal asked
        if not asked:
            asked = True
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except Exception:
        if not asked:
            raise
        sys.exit(_EXIT_INTERRUPTED)
    finally:
        signal.signal(signal.SIGTERM, before)


def _status(work: Callable[[], None]) -> int:
    try:
        work()
    except RunError as error:
        complain(error)
        return _EXIT_FAILED
    except OSError as error:
        known = disk_error(error)
        if known is None:
            raise
        complain(known)
        return _EXIT_FAILED
    except KeyboardInterrupt:
        return _EXIT_INTERRUPTED
    return 0
