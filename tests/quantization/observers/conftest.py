"""Known distributions that every observer is tried on."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from runtime.quantization.observers.memory_order import SAMPLE_SIZE

SIZE = SAMPLE_SIZE  # the largest that is counted whole


def _distributions() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    uniform = torch.rand(SIZE, generator=generator) * 6 - 3
    normal = torch.randn(SIZE, generator=generator)
    sign = torch.where(torch.rand(SIZE, generator=generator) < 0.5, -1.0, 1.0)
    laplace = -torch.rand(SIZE, generator=generator).clamp(min=1e-7).log() * sign
    outlier = normal.clone()
    outlier[17] = -40.0
    return {
        "uniform": uniform,
        "normal": normal * 0.02,
        "laplace": laplace,
        "one outlier": outlier,
        "after ReLU": normal.relu() * 5,
    }


DISTRIBUTIONS = _distributions()


@pytest.fixture(params=sorted(DISTRIBUTIONS))
def values(request: pytest.FixtureRequest) -> Tensor:
    """As many values of one distribution as are counted whole."""
    return DISTRIBUTIONS[request.param]
