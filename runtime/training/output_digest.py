"""One number for all raw outputs of an evaluation: equal exactly where every bit of every sample is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class DeployedForm(Protocol):
    """A model that is evaluated in the steps that a chip and its host share: inputs, network, results."""

    def deployed_inputs(self, batch: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
        """Images and sampling points of a batch."""

    def raw_outputs(self, img: Tensor, points: Tensor) -> dict[str, Tensor]:
        """The network: each output (B, ...)."""

    def decode(self, raw: Mapping[str, Tensor]) -> dict[str, Any]:
        """Results by the decoder's name."""


class OutputDigest:
    """SHA-256 over the raw outputs of samples in their order, whatever the size of the batches.

    Of each sample a SHA-256 of its outputs, sorted by name: name, shape and float32 values, little-endian,
    where zero has no sign; then one over those of all samples. Meant for fixed point, whose bits do not
    depend on threads or devices.
    """

    def __init__(self) -> None:
        self._samples = hashlib.sha256()

    def start(self) -> None:
        """Forget all samples."""
        self._samples = hashlib.sha256()

    def update(self, raw: Mapping[str, Tensor]) -> None:
        """Add the samples of a batch.

        Args:
            raw: outputs (B, ...) by name.
        """
        arrays = {name: (raw[name].detach().float() + 0.0).cpu().contiguous().numpy() for name in sorted(raw)}
        for row in range(len(next(iter(arrays.values()), ()))):
            sample = hashlib.sha256()
            for name, values in arrays.items():
                sample.update(f"{name} {values.shape[1:]}\n".encode())
                sample.update(values[row].astype("<f4", copy=False).tobytes())
            self._samples.update(sample.digest())

    def hexdigest(self) -> str:
        """Of the samples so far, as 64 hex digits."""
        return self._samples.hexdigest()
