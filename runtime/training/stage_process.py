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
    except SystemExit as end:
        if end.code and _has_peers():
            _leave_at_once(int(end.code))
        raise
    except Exception:
        if not _has_peers():
            raise
        traceback.print_exc()
        _leave_at_once(_EXIT_FAILED)
    finally:
        stop_reporting()


def _has_peers() -> bool:
    return dist.is_available() and dist.is_initialized()


def _leave_at_once(status: int) -> NoReturn:
    """Without what Python does at its end: the communicator waits there for processes that were ended."""
    stop_reporting()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


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
