"""How the process of a stage ends: exit status, messages, and the order in which it leaves."""

import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import torch
import torch.distributed as dist

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
    except BaseException as error:
        if not (dist.is_available() and dist.is_initialized()):
            raise
        _leave_at_once(error)
    finally:
        stop_reporting()


def _leave_at_once(error: BaseException) -> NoReturn:
    """Without what Python does at its end: the communicator waits there for processes that were ended."""
    if not isinstance(error, SystemExit):
        traceback.print_exception(error)
    elif not error.code:
        raise error
    stop_reporting()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(error.code if isinstance(error, SystemExit) and isinstance(error.code, int) else _EXIT_FAILED)


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
