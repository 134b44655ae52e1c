"""One thread, and the graphs and programs of these tests."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "hbir"), str(HERE.parent / "quantization")]


@pytest.fixture(autouse=True)
def _seeded_and_single_threaded() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
