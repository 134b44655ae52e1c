"""Errors of a model's results, which have different units: as shares of their power."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from runtime.quantization.analysis.signal_error import decibels

Outputs = Mapping[str, Tensor]
"""Results by name, the samples of a batch along their first axis."""


@dataclass(frozen=True)
class SampleError:
    """What fixed point did to the results of one sample.

    Args:
        token: of the sample.
        sqnr_db: of its results, each weighed by the power that it has on average over the samples.
        worst_output: name of the result that is off most.
        worst_sqnr_db: of that one, in the same measure.
    """

    token: str
    sqnr_db: float
    worst_output: str
    worst_sqnr_db: float


class OutputErrors:
    """Noise and signal of each result of each sample.

    The error of a set of samples is the mean over the results of (noise / signal), both summed over the
    samples: so each result counts the same, in whatever unit it is.
    """

    def __init__(self) -> None:
        self._names: tuple[str, ...] = ()
        self._noise: list[Tensor] = []
        self._signal: list[Tensor] = []
        self._tokens: list[str] = []

    def add(self, exact: Outputs, approximate: Outputs, tokens: Sequence[str]) -> None:
        """Take in a batch of samples, named by their tokens."""
        self._names = tuple(exact)
        pairs = [(exact[name].double(), approximate[name].double()) for name in self._names]
        self._noise.append(torch.stack([_power(x - y) for x, y in pairs]).cpu())
        self._signal.append(torch.stack([_power(x) for x, _ in pairs]).cpu())
        self._tokens += tokens

    def relative(self) -> float:
        """Mean over the results of noise / signal."""
        return float(self._shares(torch.cat(self._noise, dim=1).sum(dim=1)).mean())

    def sqnr_db(self) -> float:
        """`relative` as decibels."""
        return decibels(1.0, self.relative())

    def worst(self, count: int) -> tuple[SampleError, ...]:
        """The samples that are off most, worst first."""
        noise = torch.cat(self._noise, dim=1)
        # A sample's share of the noise, so that the mean over the samples is the error of all.
        shares = self._shares(noise * noise.shape[1])
        order = shares.mean(dim=0).argsort(descending=True, stable=True)[:count].tolist()
        return tuple(self._sample_error(shares[:, index], self._tokens[index]) for index in order)

    def _sample_error(self, shares: Tensor, token: str) -> SampleError:
        worst = int(shares.argmax())
        return SampleError(
            token,
            decibels(1.0, float(shares.mean())),
            self._names[worst],
            decibels(1.0, float(shares[worst])),
        )

    def _shares(self, noise: Tensor) -> Tensor:
        """Noise (R,) or (R, samples) as a share of the signal of each of the R results."""
        signal = torch.cat(self._signal, dim=1).sum(dim=1)
        signal = signal.clamp(min=torch.finfo(torch.float64).tiny)
        return noise / (signal if noise.dim() == 1 else signal[:, None])


def _power(x: Tensor) -> Tensor:
    return x.square().flatten(1).sum(dim=1)
