"""The best scores, with ties in the order of their places."""

import numpy as np
import pytest
import torch

from runtime.tasks.detection.ranking import best_first

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("levels", [2, 30, 10**6], ids=["two", "as-int8", "few-ties"])
def test_the_order_is_that_of_a_stable_sort(levels: int, device: str) -> None:
    drawn = np.random.default_rng(levels).integers(levels, size=(3, 5000))
    scores = (drawn / levels).astype(np.float32)
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :700]
    assert np.array_equal(best_first(torch.from_numpy(scores).to(device), 700).cpu(), expected)


def test_all_places_can_be_asked_for() -> None:
    assert best_first(torch.tensor([[0.5, 0.9, 0.5]]), 3).tolist() == [[1, 0, 2]]


def test_a_negative_zero_is_a_zero() -> None:
    assert best_first(torch.tensor([[-0.0, 0.0, 1e-45, -0.0]]), 4).tolist() == [[2, 0, 1, 3]]
