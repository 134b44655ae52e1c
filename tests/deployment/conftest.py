"""One thread, and the small trained model of the tests of training."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "training")]


@pytest.fixture(scope="package", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="package")
def calibrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An experiment whose stages `float` and `calibration` have finished."""
    from bev_parts import trained_experiment

    return trained_experiment(tmp_path_factory.mktemp("calibrated"), calibrated=True)
