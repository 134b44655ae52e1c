"""The percentile against numpy's quantile of the raw values."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from runtime.quantization.observers.percentile import PercentileObserver


@pytest.mark.parametrize("percentile", [60.0, 99.0, 99.9, 99.99, 100.0])
def test_within_a_bin_of_the_quantile(percentile: float, values: Tensor) -> None:
    observer = PercentileObserver(bits=8, percentile=percentile)
    observer.observe(values)
    magnitudes = values.abs().double().numpy()
    # Between two values any threshold clips the same share; numpy's two outer methods are its bounds.
    low, high = (np.quantile(magnitudes, percentile / 100, method=method) for method in ("lower", "higher"))
    bin_width = (observer.edges[1] - observer.edges[0]).item()
    assert low - bin_width <= observer.scale() * 127 <= high + bin_width


def test_clips_the_share_it_promises() -> None:
    observer = PercentileObserver(bits=8, percentile=90)
    observer.observe(torch.arange(1, 1001.0))
    assert observer.scale() * 127 == pytest.approx(900, abs=1)


@pytest.mark.parametrize("percentile", [0.0, 100.1, float("nan")])
def test_impossible_percentile(percentile: float) -> None:
    with pytest.raises(ValueError, match=r"the percentile must be in \(0, 100\], not"):
        PercentileObserver(bits=8, percentile=percentile)
