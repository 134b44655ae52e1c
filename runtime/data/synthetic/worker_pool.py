"""Runs jobs in several processes, with progress, and ends them cleanly."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from typing import Any, Final

from runtime.data.end_with_parent import end_with_parent
from runtime.data.progress import Progress
from runtime.errors import RunError

_THREAD_LIMITS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class WorkerPool:
    """Runs jobs in processes, or in the calling one if `count` is 1.

    On leaving its `with` block, jobs that have not begun are dropped and those that run are waited for.
    """

    def __init__(self, count: int) -> None:
        self._pool: ProcessPoolExecutor | None = None
        if count > 1:
            # Forking a process that runs threads can hang; these start from scratch.
            context = get_context("spawn")
            self._stop = context.Event()
            self._pool = ProcessPoolExecutor(count, context, initializer=_begin, initargs=(self._stop,))
            self._environment = {name: os.environ.get(name) for name in _THREAD_LIMITS}
            # Read by the children when they load their libraries: the processes are the parallelism.
            os.environ.update(dict.fromkeys(_THREAD_LIMITS, "1"))

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, *error: object) -> None:
        if self._pool is not None:
            self._stop.set()
            self._pool.shutdown(wait=True, cancel_futures=True)
            for name, value in self._environment.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value

    def run(
        self, function: Callable[[Any], Any], jobs: list[Any], progress: Progress, text: str
    ) -> list[Any]:
        """`function` of every job, in the order of the jobs.

        Raises:
            RunError: a process died, for want of memory as a rule. What a job raises is raised here.
        """
        progress(0, len(jobs), text)
        results: list[Any] = [None] * len(jobs)
        if self._pool is None:
            for number, job in enumerate(jobs):
                results[number] = function(job)
                progress(number + 1, len(jobs), text)
            return results
        futures: dict[Future[Any], int] = {
            self._pool.submit(_work, function, job): number for number, job in enumerate(jobs)
        }
        try:
            for done, future in enumerate(as_completed(futures), start=1):
                results[futures[future]] = future.result()
                progress(done, len(jobs), text)
        except BrokenProcessPool as error:
            raise RunError(
                f"a process that was writing {text} has died", hint="with fewer workers less memory is needed"
            ) from error
        return results


_stop: Event | None = None  # of this process, if it is a worker


def _begin(stop: Event) -> None:
    """Prepare a worker process."""
    global _stop
    _stop = stop
    end_with_parent()


def _work(function: Callable[[Any], Any], job: Any) -> Any:
    """The job, unless the run has ended: the pool hands out a few jobs ahead, which cannot be taken back."""
    return None if _stop is not None and _stop.is_set() else function(job)
