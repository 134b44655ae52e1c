"""An error in the midst of the leaving is told as the interruption that it is."""

import json

import pytest

from runtime.errors import RunError
from runtime.training.interruption import is_interruption
from runtime.training.run_directory import create_run


def worker_ended(first: BaseException) -> None:
    try:
        raise first
    finally:
        raise RuntimeError("DataLoader worker (pid 7) is killed by signal: Terminated.")


@pytest.mark.parametrize(
    ("first", "status"), [(KeyboardInterrupt(), "interrupted"), (ValueError("wrong"), "failed")]
)
def test_the_record_says_why_the_run_ended(tmp_path, first, status):
    run = create_run(tmp_path, "check")
    run.claim()
    run.start(options={}, seed=None, device="cpu")
    with pytest.raises(RuntimeError, match="DataLoader worker"), run.recording():
        worker_ended(first)
    assert json.loads((run.path / "run.json").read_text())["status"] == status


def test_an_error_alone_is_none():
    assert not is_interruption(RunError("no space left on the disk"))
    assert is_interruption(KeyboardInterrupt())
