"""A scale that a spec gives."""

import pytest
import torch

from runtime.quantization.observers import FixedObserver


def test_values_change_the_range_only() -> None:
    observer = FixedObserver(1 / 128)
    assert observer.scale() == 1 / 128
    observer.observe(torch.tensor([-300.0, 5.0]))
    assert observer.scale() == 1 / 128
    assert (observer.low, observer.high, observer.count) == (-300.0, 5.0, 2)


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_impossible_scale(scale: float) -> None:
    with pytest.raises(ValueError, match="a fixed scale must be finite and above zero, not"):
        FixedObserver(scale)
