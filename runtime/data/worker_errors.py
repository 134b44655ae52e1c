"""Bringing errors out of loader processes as they were raised.

torch raises the error of a worker process again with the whole traceback as its message, and without its
hint. A `RunError` is meant to be read: here it travels as a value in place of the batch and is raised in
the process that asked for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from torch.utils.data import DataLoader, get_worker_info

from runtime.errors import RunError


@dataclass(frozen=True)
class CaughtError:
    """What a worker process hands over instead of samples."""

    error: RunError


def fetch(get: Callable[[int], Any], indices: Sequence[int]) -> list[Any]:
    """The samples at `indices`; in a worker process, one `CaughtError` when reading them fails."""
    try:
        return [get(index) for index in indices]
    except RunError as error:
        if get_worker_info() is None:
            raise
        return [CaughtError(error)]


@dataclass(frozen=True)
class PassingCollate:
    """A collate function that lets a `CaughtError` through.

    Args:
        collate: puts samples together.
    """

    collate: Callable[[Sequence[Any]], Any]

    def __call__(self, samples: Sequence[Any]) -> Any:
        """The batch, or the error."""
        if isinstance(samples[0], CaughtError):
            return samples[0]
        return self.collate(samples)


class PassingLoader(DataLoader[Any]):
    """torch's DataLoader that raises what its workers caught."""

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        for batch in super().__iter__():
            if isinstance(batch, CaughtError):
                raise batch.error
            yield batch
