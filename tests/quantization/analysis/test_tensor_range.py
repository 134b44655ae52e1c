"""Ranges, cut-off shares and histograms against counting by hand."""

import pytest
import torch

from runtime.quantization.analysis.tensor_range import RangeCount
from runtime.quantization.fake_quant import FakeQuant
from runtime.quantization.observers import make_observer


def quantiser(scale: float, bits: int = 8) -> FakeQuant:
    quant = FakeQuant("some.tensor")
    quant.bits = bits
    quant.fix(scale)
    return quant


def test_counts_by_hand() -> None:
    count = RangeCount(quantiser(0.5), "conv")
    # Codes -128 to 127 are -64 to 63.5; half a code more is still rounded into them.
    count.add_real(torch.tensor([0.0, 0.0, -64.2, -64.3, 63.7, 63.8, 1.0, 2.9]))
    count.add_codes(torch.tensor([-32.0, 5.0]))
    count.add_codes(torch.tensor([0.0, 40.0]))
    found = count.range()
    assert (found.name, found.op, found.bits, found.scale, found.clip) == (
        "some.tensor",
        "conv",
        8,
        0.5,
        63.5,
    )
    assert (found.low, found.high) == (pytest.approx(-64.3), pytest.approx(63.8))
    assert found.saturated == 2 / 8
    assert found.zeros == 2 / 8
    assert (found.code_low, found.code_high) == (-32, 40)
    assert found.unused == 1 - 40 / 127


def test_unused_counts_the_larger_side() -> None:
    count = RangeCount(quantiser(1.0), "add")
    count.add_codes(torch.tensor([-96.0, 3.0]))
    assert count.range().unused == 1 - 96 / 128


def test_histogram_has_half_octaves_of_the_scale() -> None:
    count = RangeCount(quantiser(0.25), "conv")
    # In scales: 1, 1.5 (second half of the octave), 2, -4 twice.
    count.add_real(torch.tensor([0.25, 0.375, 0.5, -1.0, -1.0, 0.0]))
    found = count.range()
    assert found.first_bin == 0
    assert found.histogram == (1, 1, 1, 0, 2)


def test_histogram_keeps_what_lies_beyond_its_ends() -> None:
    count = RangeCount(quantiser(1.0, bits=16), "points")
    count.add_real(torch.tensor([1e-30, 1e30]))
    found = count.range()
    assert sum(found.histogram) == 2
    assert (found.first_bin, len(found.histogram)) == (-16, 64)


def test_calibration_saw_more_than_these_batches() -> None:
    quant = quantiser(1.0)
    quant.observer = make_observer("min_max", bits=8)
    quant.observer.observe(torch.tensor([-7.0, 9.0]))
    count = RangeCount(quant, "conv")
    count.add_real(torch.tensor([-8.0, 1.0]))
    assert (count.range().low, count.range().high) == (-8.0, 9.0)
