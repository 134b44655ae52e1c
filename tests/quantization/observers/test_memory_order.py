"""Samples that favour no channel, row or column, and rows of values without a copy."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from runtime.quantization.observers import make_observer
from runtime.quantization.observers.memory_order import SAMPLE_SIZE, even_sample, in_memory_order

SHAPE = (4, 64, 64, 128)  # sizes that are powers of two, where a step of constant length is at its worst


def layouts(x: Tensor) -> dict[str, Tensor]:
    return {
        "contiguous": x.contiguous(),
        "channels last": x.contiguous(memory_format=torch.channels_last),
        "transposed": x.transpose(0, 3),
    }


@pytest.mark.parametrize("layout", layouts(torch.empty(1, 1, 1, 1)))
def test_dense_layouts_are_not_copied(layout: str) -> None:
    x = layouts(torch.rand(2, 3, 4, 5))[layout]
    flat = in_memory_order(x)
    assert flat.data_ptr() == x.data_ptr()
    assert torch.equal(flat.sort().values, x.flatten().sort().values)


def test_other_layouts_keep_their_values() -> None:
    x = torch.rand(2, 3, 4, 5)
    for view in (x[:, ::2], x[:, :1].expand(2, 3, 4, 5), x[..., 0], x.flip(1), x[0, 0, 0, 0]):
        assert torch.equal(in_memory_order(view).sort().values, view.flatten().sort().values)


@pytest.mark.parametrize("layout", ["contiguous", "channels last", "transposed"])
@pytest.mark.parametrize("axis", range(4))
def test_every_index_of_every_axis_is_hit_evenly(layout: str, axis: int) -> None:
    index = torch.arange(SHAPE[axis], dtype=torch.float32).view([-1 if i == axis else 1 for i in range(4)])
    x = layouts(index.expand(SHAPE))[layout]
    sample, stretch = even_sample(in_memory_order(x))
    assert len(sample) == SAMPLE_SIZE and stretch == x.numel() // SAMPLE_SIZE
    hits = torch.bincount(sample.long(), minlength=SHAPE[axis]).double()
    expected = SAMPLE_SIZE / SHAPE[axis]
    # A binomial count lies within five standard deviations but for one in a million.
    assert (hits - expected).abs().max() <= 5 * expected**0.5


def test_whole_up_to_the_sample_size_then_a_value_a_stretch() -> None:
    small = torch.arange(SAMPLE_SIZE, dtype=torch.float64)
    assert even_sample(small)[0] is small
    for length in (SAMPLE_SIZE + 1, 3 * SAMPLE_SIZE, 3 * SAMPLE_SIZE + 7):
        sample, stretch = even_sample(torch.arange(length, dtype=torch.float64))
        starts = torch.arange(len(sample)) * stretch
        assert len(sample) <= SAMPLE_SIZE and starts[-1] < length <= starts[-1] + stretch
        assert ((starts <= sample) & (sample < starts + stretch)).all()


def test_samples_are_the_same_every_time() -> None:
    x = torch.randn(300_000, generator=torch.Generator().manual_seed(6))
    first, second = make_observer("mse", bits=8), make_observer("mse", bits=8)
    first.observe(x)
    second.observe(x.clone())
    assert first.counts is not None and second.counts is not None
    assert torch.equal(first.counts, second.counts)
    assert first.counts.sum().item() == pytest.approx(300_000, rel=1e-3)
