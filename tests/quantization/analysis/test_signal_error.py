"""Ratio and cosine against their definitions."""

import math

import pytest
import torch

from runtime.quantization.analysis.signal_error import LIMIT_DB, ErrorSums, decibels


def test_definitions_over_batches() -> None:
    draws = torch.Generator().manual_seed(3)
    exact = torch.randn(6, 5, generator=draws, dtype=torch.float64)
    actual = exact + 0.1 * torch.randn(6, 5, generator=draws, dtype=torch.float64)
    sums = ErrorSums()
    sums.add(exact[:2], actual[:2])
    sums.add(exact[2:], actual[2:])
    error = sums.error()
    ratio = exact.square().sum() / (exact - actual).square().sum()
    assert error.sqnr_db == pytest.approx(10 * math.log10(ratio))
    cosine = torch.nn.functional.cosine_similarity(exact.flatten(), actual.flatten(), dim=0)
    assert error.cosine == pytest.approx(float(cosine))


def test_one_bit_more_is_six_decibels() -> None:
    values = torch.rand(100_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = []
    for bits in (8, 9):
        sums, step = ErrorSums(), 2.0**-bits
        sums.add(values, (values / step).round() * step)
        found.append(sums.error().sqnr_db)
    assert found[1] - found[0] == pytest.approx(20 * math.log10(2), abs=0.1)


@pytest.mark.parametrize(
    ("exact", "actual", "db", "cosine"),
    [
        ([1.0, 2.0], [1.0, 2.0], LIMIT_DB, 1.0),
        ([0.0, 0.0], [0.0, 0.0], LIMIT_DB, 1.0),
        ([0.0, 0.0], [0.0, 1.0], -LIMIT_DB, 0.0),
        ([1.0, 0.0], [0.0, 0.0], 0.0, 0.0),
        ([1.0, 0.0], [-1.0, 0.0], 10 * math.log10(1 / 4), -1.0),
    ],
)
def test_extremes(exact: list[float], actual: list[float], db: float, cosine: float) -> None:
    sums = ErrorSums()
    sums.add(torch.tensor(exact), torch.tensor(actual))
    assert sums.error().sqnr_db == pytest.approx(db)
    assert sums.error().cosine == pytest.approx(cosine)


def test_decibels_stay_in_bounds() -> None:
    assert decibels(1e30, 1e-30) == LIMIT_DB
    assert decibels(1e-30, 1e30) == -LIMIT_DB
    assert decibels(100.0, 1.0) == pytest.approx(20.0)
