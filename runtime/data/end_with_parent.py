"""Worker processes that do not outlive the process that started them."""

from __future__ import annotations

import os
import signal
import threading
from multiprocessing import parent_process


def end_with_parent() -> None:
    """Called in a worker: leaves Ctrl-C, which reaches every process of a terminal, to the parent, and leaves
    at once when the parent is gone, which when killed cannot tell its workers to stop."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
