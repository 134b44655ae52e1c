"""What a spec takes from its chip is what runtime reads in the same file."""

from __future__ import annotations

import pytest

from runtime.bpu.march import load_march, march_names, march_path
from specgen import locate
from specgen.inference.marches import multiplier_bits


def test_the_same_files() -> None:
    assert locate.march_names() == march_names()
    assert all(locate.march_file(name) == march_path(name) for name in march_names())


@pytest.mark.parametrize("name", march_names())
def test_bits_of_multipliers(name: str) -> None:
    assert multiplier_bits(name) == load_march(name).arithmetic.multiplier_bits.value


def test_an_unknown_chip_says_nothing() -> None:
    assert multiplier_bits("bayse") is None
