"""Counts, bin borders and the doubling of the range."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from runtime.quantization.observers.histogram import BINS, MagnitudeHistogram


def histogram(*batches: Tensor) -> MagnitudeHistogram:
    result = MagnitudeHistogram()
    for batch in batches:
        result.add(batch, batch.abs().max().double())
    return result


def test_counts_equal_numpy(values: Tensor) -> None:
    found = histogram(values)
    expected, edges = np.histogram(values.abs().double().numpy(), bins=BINS, range=(0, found.limit))
    np.testing.assert_array_equal(found.counts.numpy(), expected)
    np.testing.assert_array_equal(found.edges.numpy(), edges)
    assert found.zeros == int((values == 0).sum())


@pytest.mark.parametrize("largest", [1.0, 1.5, 2.0 - 2**-23, 2.0, 1e-6, 3e38])
def test_limit_is_the_power_of_two_above(largest: float) -> None:
    found = histogram(torch.tensor([largest]))
    exact = torch.tensor([largest]).item()
    assert found.limit / 2 <= exact < found.limit
    assert float.hex(found.limit).startswith("0x1.0000000000000p")
    assert int(found.counts.nonzero()) == int(exact * (BINS / found.limit))


def test_borders_belong_to_the_bin_above() -> None:
    found = histogram(torch.tensor([0.0, 1 / 2048, 0.75, 3 / 2048 - 1e-7]))
    assert found.limit == 1.0
    assert found.counts.nonzero().flatten().tolist() == [0, 1, 2, 1536]


def test_doubling_merges_exactly() -> None:
    x = torch.rand(5000, generator=torch.Generator().manual_seed(5), dtype=torch.float32)
    small = histogram(x)
    grown = histogram(x, torch.tensor([3.0]), torch.tensor([9.0]))
    assert (small.limit, grown.limit) == (1.0, 16.0)
    merged = small.counts.view(BINS // 16, 16).sum(1)
    merged = torch.cat([merged, torch.zeros(BINS - BINS // 16, dtype=torch.int64)])
    merged[3 * BINS // 16] += 1
    merged[9 * BINS // 16] += 1
    assert torch.equal(grown.counts, merged)


def test_order_and_batches_do_not_matter(values: Tensor) -> None:
    batches = list(values.split([1, 10, 100, 1000, len(values) - 1111]))
    whole = histogram(values)
    for found in (histogram(*batches), histogram(*reversed(batches))):
        assert found.limit == whole.limit
        assert torch.equal(found.counts, whole.counts)
        assert found.zeros == whole.zeros


def test_growth_by_more_doublings_than_there_are_bins() -> None:
    found = histogram(torch.tensor([1e-20]), torch.tensor([0.0]), torch.tensor([1e20]))
    assert found.counts[0] == 2
    assert (found.counts.sum(), found.zeros) == (3, 1)


def test_weight_counts_every_value_as_often() -> None:
    found = MagnitudeHistogram()
    found.add(torch.tensor([0.0, 0.25]), torch.tensor(0.75, dtype=torch.float64), weight=10)
    assert found.counts.nonzero().flatten().tolist() == [0, BINS // 4]
    assert (found.counts.sum(), found.zeros) == (20, 10)
