"""The data loader of a stage."""

from __future__ import annotations

from typing import Any, Final, Literal

import cv2
import torch
from torch.utils.data import DataLoader, Dataset

from runtime.data.collate import collate_nuscenes
from runtime.data.sampler import DistributedSampler
from runtime.data.worker_errors import PassingCollate, PassingLoader
from runtime.errors import RunError

_COLLATES: Final = {"collate_nuscenes": collate_nuscenes}


def build_data_loader(
    *,
    dataset: Dataset[dict[str, Any]],
    batch_size: int,
    sampler: DistributedSampler | None = None,
    shuffle: bool = False,
    num_workers: int = 0,
    pin_memory: bool = False,
    collate_fn: Literal["collate_nuscenes"] = "collate_nuscenes",
    drop_last: bool = False,
    seed: int = 0,
) -> DataLoader[dict[str, Any]]:
    """torch's DataLoader, set up so that an epoch's batches depend on nothing but `seed` and the epoch.

    `loader.sampler.set_epoch(epoch)` chooses order and augmentation of an epoch; Lightning calls it by
    itself.

    Args:
        dataset: of samples that `collate_fn` can put together.
        batch_size: samples a batch in each process.
        sampler: by default the one of this package, which also deals samples out to the processes of a run.
        shuffle: new order each epoch.
        num_workers: processes that load; 0 loads in the training process.
        pin_memory: page-locked batches for faster copies to a GPU; without a GPU it does nothing.
        collate_fn: how samples become a batch.
        drop_last: leave out the last batch when it is short.
        seed: of the order.

    Raises:
        RunError: a number is out of range.
    """
    if batch_size < 1 or num_workers < 0:
        raise RunError(
            f"`batch_size` must be at least 1 and `num_workers` at least 0, got {batch_size}, {num_workers}"
        )
    sampler = DistributedSampler() if sampler is None else sampler
    sampler.attach(dataset=dataset, shuffle=shuffle, seed=seed)  # type: ignore[arg-type]
    # With a generator of its own the loader takes nothing from the global one, which dropout uses: a resumed
    # run would otherwise be one draw behind.
    generator = torch.Generator()
    generator.manual_seed(seed)
    return PassingLoader(
        dataset,
        batch_size=batch_size,
        sampler=sampler,
        num_workers=num_workers,
        pin_memory=pin_memory and torch.cuda.is_available(),
        collate_fn=PassingCollate(_COLLATES[collate_fn]),
        drop_last=drop_last,
        generator=generator,
        persistent_workers=num_workers > 0,
        worker_init_fn=_start_worker,
    )


def _start_worker(_: int) -> None:
    # One core a worker: many workers with many threads each would only get in each other's way.
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
