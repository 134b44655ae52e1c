"""Entropy calibration against its published steps, one bin after the other."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from runtime.quantization.observers.kl import KLObserver, kl_divergences

LEVELS = 128


def slow_divergence(counts: list[int], kept: int) -> float:
    """KL(P || Q) for one number of bins, as the source's pseudo-code has it."""
    reference = [float(count) for count in counts[:kept]]
    reference[-1] += sum(counts[kept:])
    candidate = [0.0] * kept
    for level in range(LEVELS):
        bins = range(level * kept // LEVELS, (level + 1) * kept // LEVELS)
        filled = [index for index in bins if counts[index] > 0]
        for index in filled:
            candidate[index] = sum(counts[j] for j in bins) / len(filled)
    p_sum, q_sum = sum(reference), sum(candidate)
    divergence = 0.0
    for p, q in zip(reference, candidate, strict=True):
        if p > 0 and q == 0:
            return math.inf
        if p > 0:
            divergence += p / p_sum * math.log((p / p_sum) / (q / q_sum))
    return divergence


def test_same_threshold_as_the_published_steps(values: Tensor) -> None:
    observer = KLObserver(bits=8)
    observer.observe(values)
    counts, width = observer.counts.tolist(), observer.edges[1].item()
    largest = values.abs().max().item()
    used = int(largest // width) + 1
    slow = [slow_divergence(counts, kept) for kept in range(LEVELS, used + 1)]
    np.testing.assert_allclose(kl_divergences(np.array(counts[:used]), LEVELS), slow, rtol=1e-9, atol=1e-12)
    expected = min((LEVELS + int(np.argmin(slow)) + 0.5) * width, largest)
    assert observer.scale() == pytest.approx(expected / 127, rel=1e-12)


def test_16_bits_have_more_levels_than_bins(values: Tensor) -> None:
    observer = KLObserver(bits=16)
    observer.observe(values)
    assert observer.scale() == values.abs().max().item() / 32767


def test_clips_one_outlier() -> None:
    x = torch.randn(8192, generator=torch.Generator().manual_seed(4))
    x[5] = 40.0
    observer = KLObserver(bits=8)
    observer.observe(x)
    assert 2.5 < observer.scale() * 127 < 8
