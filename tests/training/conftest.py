"""A model and a dataset of a few numbers, with the interface of the real ones, so that the loop itself can
be tested in a second."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    """An experiment folder with a lock, as the compiler leaves it."""
    folder = tmp_path / "experiments" / "toy"
    folder.mkdir(parents=True)
    (folder / "experiment.lock").write_text('spec = "toy"\n')
    return folder


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """As in the processes that the tests start: bits are promised for one number of threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
