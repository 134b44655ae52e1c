"""A loader that tells its sampler and dataset the epoch at the one right moment."""

from collections.abc import Callable, Iterator
from typing import Any

from torch.utils.data import DataLoader


class EpochLoader:
    """Iterates over `loader`, after setting the epoch of its sampler and its dataset.

    Lightning would set the epoch of a `DataLoader`'s sampler itself, counted from the last start of a run
    and, in the first epoch, after workers have begun to fetch. Behind this plain iterable it does not see
    the sampler.

    Args:
        loader: the batches.
        epoch: gives the epoch, counted over all starts of the run.
    """

    def __init__(self, loader: DataLoader, epoch: Callable[[], int]) -> None:
        self.loader = loader
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[Any]:
        # A generator: nothing happens until the first batch is asked for.
        epoch = self.epoch()
        for part in (self.loader.sampler, self.loader.dataset):
            if hasattr(part, "set_epoch"):
                part.set_epoch(epoch)
        yield from self.loader


def stop_workers(loader: DataLoader) -> None:
    """End the data workers that live across epochs.

    Left to the garbage collector, which takes the queues to the workers down first, each worker is waited
    for five seconds.
    """
    iterator: Any = getattr(loader, "_iterator", None)
    if hasattr(iterator, "_shutdown_workers"):
        iterator._shutdown_workers()
        loader._iterator = None
