"""Which samples a process sees in an epoch, and in which order."""

from __future__ import annotations

from collections.abc import Iterator, Sized

import numpy as np
from torch import distributed
from torch.utils.data import DistributedSampler as TorchDistributedSampler


class DistributedSampler(TorchDistributedSampler[int]):
    """Deals the samples out to the processes of a run, in an order that depends on seed and epoch only.

    With one process it gives all samples to it. Shuffled (training), every process gets equally many, for
    which up to world size - 1 samples come twice; in order (evaluation), each sample comes exactly once.
    Where there are fewer samples than processes, some get one that another has too: a process without any
    would leave out what the others wait for together, and metrics count a sample once.
    `set_epoch` also sets the dataset's, so that whoever drives the sampler (Lightning does) drives the
    augmentation.

    It is a subclass of torch's, which is how Lightning knows that it must not be replaced. It is made without
    arguments; `build_data_loader` attaches what it needs. Rank and world size are asked when the epoch
    starts, because loaders may be built before the process group is.
    """

    def __init__(self) -> None:
        self.dataset_or_none: Sized | None = None
        self.shuffle = False
        self.seed = 0
        self.epoch = 0
        self.drop_last = False

    def attach(self, *, dataset: Sized, shuffle: bool, seed: int) -> None:
        """Take the dataset and the loader's settings."""
        self.dataset_or_none = dataset
        self.shuffle = shuffle
        self.seed = seed

    def set_epoch(self, epoch: int) -> None:
        """Choose the order, and the dataset's augmentation, of an epoch."""
        self.epoch = epoch
        set_dataset_epoch = getattr(self.dataset_or_none, "set_epoch", None)
        if set_dataset_epoch is not None:
            set_dataset_epoch(epoch)

    def __iter__(self) -> Iterator[int]:
        total = self._total()
        rank, world = self._world()
        if self.shuffle:
            order = np.random.default_rng((self.seed, self.epoch)).permutation(total).tolist()
            padding = -total % world
        else:
            order = list(range(total))
            padding = max(0, world - total)
        order += (order * (padding // total + 1))[:padding]
        return iter(order[rank::world])

    def __len__(self) -> int:
        rank, world = self._world()
        total = self._total()
        return -(-total // world) if self.shuffle else max(1, len(range(rank, total, world)))

    def _total(self) -> int:
        if self.dataset_or_none is None:
            raise ValueError("the sampler has no dataset: it is attached by `build_data_loader`")
        return len(self.dataset_or_none)

    @staticmethod
    def _world() -> tuple[int, int]:
        """(rank, world size) of this process."""
        if distributed.is_available() and distributed.is_initialized():
            return distributed.get_rank(), distributed.get_world_size()
        return 0, 1
