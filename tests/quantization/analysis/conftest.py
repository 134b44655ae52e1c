"""What the tests of the analysis share."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))  # for `labelled_network`


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Sums over several threads depend on their number."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
