"""Order, progress and the end of worker processes."""

import os
import time

import pytest

from runtime.data.synthetic.worker_pool import WorkerPool
from runtime.errors import RunError


def silent(done: int, total: int, text: str) -> None:
    """Progress that nobody sees."""


@pytest.mark.parametrize("count", [1, 2])
def test_results_keep_the_order_of_the_jobs(count: int) -> None:
    calls = []
    with WorkerPool(count) as pool:
        assert pool.run(abs, [-3, 2, -1], lambda *call: calls.append(call), "numbers") == [3, 2, 1]
        assert pool.run(str, [7], silent, "texts") == ["7"]
    assert calls == [(done, 3, "numbers") for done in range(4)]


def test_error_of_a_job_arrives() -> None:
    with pytest.raises(ValueError, match="invalid literal"), WorkerPool(2) as pool:
        pool.run(int, ["1", "x"], silent, "numbers")


def test_dead_worker_is_told() -> None:
    with pytest.raises(RunError) as error, WorkerPool(2) as pool:
        pool.run(os._exit, [3], silent, "scenes")
    assert str(error.value) == (
        "error: a process that was writing scenes has died\nhint: with fewer workers less memory is needed"
    )


def test_jobs_that_have_not_begun_are_dropped_when_the_run_ends() -> None:
    def stop_at_once(done: int, total: int, text: str) -> None:
        if done:
            raise KeyboardInterrupt

    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt), WorkerPool(2) as pool:
        pool.run(time.sleep, [0.0] + [2.0] * 20, stop_at_once, "naps")
    # The naps that had begun are waited for, one a worker; twenty on two workers would take 20 s.
    assert time.monotonic() - start < 12.0


def test_environment_is_as_before() -> None:
    before = dict(os.environ)
    with WorkerPool(2) as pool:
        assert pool.run(os.getenv, ["OMP_NUM_THREADS"], silent, "names") == ["1"]
    assert dict(os.environ) == before
