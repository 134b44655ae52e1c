"""Errors of results: every result counts the same, and the worst sample is found."""

import math

import pytest
import torch

from runtime.quantization.analysis.output_error import OutputErrors


def test_mean_over_results_of_noise_to_signal() -> None:
    exact = {"a": torch.tensor([[3.0], [4.0]]), "b": torch.tensor([[100.0], [0.0]])}
    actual = {"a": torch.tensor([[3.0], [5.0]]), "b": torch.tensor([[90.0], [10.0]])}
    errors = OutputErrors()
    errors.add(exact, actual, ["one", "two"])
    assert errors.relative() == pytest.approx((1 / 25 + 200 / 10_000) / 2)
    assert errors.sqnr_db() == pytest.approx(-10 * math.log10(0.03))


def test_worst_samples_first_and_their_mean_is_the_error() -> None:
    draws = torch.Generator().manual_seed(0)
    exact = {name: torch.randn(6, 2, 3, generator=draws) for name in ("a", "b")}
    actual = {name: value.clone() for name, value in exact.items()}
    actual["a"] += 0.01 * torch.randn(6, 2, 3, generator=draws)
    actual["b"][4] += 1.0
    actual["b"][2] += 2.0
    errors = OutputErrors()
    for rows in (slice(0, 2), slice(2, 6)):
        errors.add(
            {name: value[rows] for name, value in exact.items()},
            {name: value[rows] for name, value in actual.items()},
            [f"sample {row}" for row in range(6)][rows],
        )
    worst = errors.worst(6)
    assert [sample.token for sample in worst[:2]] == ["sample 2", "sample 4"]
    assert worst[0].worst_output == "b"
    assert worst[-1].worst_output == "a"
    mean = sum(10 ** (-sample.sqnr_db / 10) for sample in worst) / 6
    assert mean == pytest.approx(errors.relative())
    assert len(errors.worst(3)) == 3


def test_nothing_differs() -> None:
    errors = OutputErrors()
    errors.add({"a": torch.zeros(1, 4)}, {"a": torch.zeros(1, 4)}, ["one"])
    assert errors.relative() == 0
    assert errors.sqnr_db() == 200
