"""The moving average against its recurrence."""

import pytest
import torch

from runtime.quantization.observers.moving_average import MovingAverageObserver


@pytest.mark.parametrize("weight", [0.1, 0.01, 1.0])
def test_recurrence(weight: float) -> None:
    observer = MovingAverageObserver(bits=8, weight=weight)
    batches = torch.randn(20, 50, generator=torch.Generator().manual_seed(1)) * torch.arange(1, 21)[:, None]
    average = None
    for batch in batches:
        observer.observe(batch)
        largest = batch.abs().max().item()
        average = largest if average is None else average + weight * (largest - average)
        assert observer.scale() == pytest.approx(average / 127, rel=1e-12)


def test_one_batch_is_its_largest_magnitude() -> None:
    observer = MovingAverageObserver(bits=16)
    observer.observe(torch.tensor([-3.0, 1.0]))
    assert observer.scale() == 3.0 / 32767


@pytest.mark.parametrize("weight", [0.0, 1.5, float("nan")])
def test_impossible_weight(weight: float) -> None:
    with pytest.raises(ValueError, match=r"the newest batch's weight must be in \(0, 1\], not"):
        MovingAverageObserver(bits=8, weight=weight)
