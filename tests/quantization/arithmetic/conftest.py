"""Numbers for the arithmetic's tests: codes and their extremes, multipliers of the whole range."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from runtime.quantization.arithmetic.rescale import MAX_SHIFT, code_range

Codes = NDArray[np.int64]


class Numbers:
    """Draws what a kernel takes from a generator, and compares what it gives."""

    @staticmethod
    def codes(rng: np.random.Generator, shape: tuple[int, ...], bits: int) -> Codes:
        """Random codes, or one of the extremes everywhere, or both extremes mixed."""
        lo, hi = code_range(bits)
        kind = rng.integers(0, 6)
        if kind == 0:
            return np.full(shape, lo)
        if kind == 1:
            return np.full(shape, hi)
        if kind == 2:
            return rng.choice([lo, hi], shape)
        return rng.integers(lo, hi + 1, shape)

    @staticmethod
    def multipliers(rng: np.random.Generator, bound: int, shape: tuple[int, ...] = ()) -> tuple[Codes, Codes]:
        """(m, k) with shifts that bring numbers up to `bound` near to codes, or of the whole range."""
        m = rng.choice([2**14, 2**15 - 1, int(rng.integers(2**14, 2**15))], shape)
        near = int(bound).bit_length() + 15 - int(rng.integers(5, 17))
        k = near + rng.integers(-1, 3, shape) if rng.integers(0, 4) else rng.integers(1, MAX_SHIFT + 1, shape)
        return np.asarray(m, dtype=np.int64), np.clip(k, 1, MAX_SHIFT).astype(np.int64)

    @staticmethod
    def tensor(rng: np.random.Generator, codes: Codes) -> Tensor:
        """float32, contiguous or channels last."""
        layout = torch.channels_last if rng.integers(0, 2) else torch.contiguous_format
        return torch.from_numpy(codes).float().contiguous(memory_format=layout)

    @staticmethod
    def round_shift(total: int, k: int, lo: int, hi: int) -> int:
        """The rounding in fractions: half up, then clamped."""
        half_up = (Fraction(total, 2**k) + Fraction(1, 2)).__floor__()
        return min(max(half_up, lo), hi)

    @staticmethod
    def assert_equal(result: Tensor, reference: Codes) -> None:
        """Not one integer differs."""
        assert result.dtype == torch.float32
        assert tuple(result.shape) == reference.shape
        different = result.numpy().astype(np.float64) != reference
        assert not different.any(), f"{different.sum()} of {different.size} differ"


@pytest.fixture(scope="session")
def numbers() -> Numbers:
    return Numbers()


@pytest.fixture(autouse=True, scope="module")
def no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield
