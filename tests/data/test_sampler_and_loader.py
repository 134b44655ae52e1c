"""Who gets which samples, and that loading leaves the training process's random numbers alone."""

from itertools import chain
from typing import Any

import pytest
import torch
from lightning.fabric.utilities.data import _set_sampler_epoch
from torch.utils.data import Dataset
from torch.utils.data import DistributedSampler as TorchDistributedSampler

from runtime.data.loader import build_data_loader
from runtime.data.sampler import DistributedSampler
from runtime.errors import RunError


class Numbers(Dataset[dict[str, Any]]):
    """Samples that hold their index and remember the epoch."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.epoch = 0

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {
            "img": torch.full((6, 3, 1, 1), float(index)),
            "ego2img": torch.zeros(6, 4, 4),
            "gt_boxes": torch.zeros(0, 9),
            "gt_labels": torch.zeros(0),
            "gt_seg": torch.zeros(1, 1),
            "token": str(index),
            "ego2global": torch.eye(4),
        }

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch


def order(
    monkeypatch: pytest.MonkeyPatch, count: int, world: int, shuffle: bool, epoch: int = 0, seed: int = 0
) -> list[list[int]]:
    ranks = []
    for rank in range(world):
        sampler = DistributedSampler()
        monkeypatch.setattr(sampler, "_world", lambda rank=rank: (rank, world))
        sampler.attach(dataset=Numbers(count), shuffle=shuffle, seed=seed)
        sampler.set_epoch(epoch)
        ranks.append(list(sampler))
        assert len(sampler) == len(ranks[-1])
    return ranks


def test_one_process_in_order_gets_everything_once(monkeypatch: pytest.MonkeyPatch):
    assert order(monkeypatch, 5, 1, shuffle=False) == [[0, 1, 2, 3, 4]]


def test_order_depends_on_seed_and_epoch_only(monkeypatch: pytest.MonkeyPatch):
    def shuffled(epoch: int, seed: int) -> list[int]:
        return order(monkeypatch, 30, 1, shuffle=True, epoch=epoch, seed=seed)[0]

    assert shuffled(0, 0) == shuffled(0, 0)
    assert shuffled(0, 0) != shuffled(1, 0) != shuffled(0, 1) != shuffled(0, 0)
    assert sorted(shuffled(5, 3)) == list(range(30))


@pytest.mark.parametrize("count, world", [(10, 4), (3, 8), (8, 4)])
def test_processes_share_the_samples(monkeypatch: pytest.MonkeyPatch, count: int, world: int):
    ordered = order(monkeypatch, count, world, shuffle=False)
    if count >= world:
        assert sorted(chain(*ordered)) == list(range(count)), "evaluation must count nothing twice"
    assert set(chain(*ordered)) == set(range(count))
    assert all(ordered), "the others wait for a process that has no batch"
    shuffled = order(monkeypatch, count, world, shuffle=True)
    assert len({len(part) for part in shuffled}) == 1, "training needs as many steps everywhere"
    assert set(chain(*shuffled)) == set(range(count))
    assert len(list(chain(*shuffled))) < count + world


def test_lightning_keeps_it_and_sets_its_epoch():
    data = Numbers(4)
    loader = build_data_loader(dataset=data, batch_size=2, shuffle=True)
    assert isinstance(loader.sampler, TorchDistributedSampler), "else Lightning would replace it"
    _set_sampler_epoch(loader, 7)
    assert data.epoch == 7 and loader.sampler.epoch == 7


def test_loading_takes_nothing_from_the_global_generator():
    loader = build_data_loader(dataset=Numbers(6), batch_size=2, shuffle=True)
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    for _ in range(2):
        assert len(list(loader)) == 3
    assert torch.equal(torch.rand(3), expected)


def test_short_last_batch_is_kept_or_dropped():
    sizes = [len(batch["token"]) for batch in build_data_loader(dataset=Numbers(5), batch_size=2)]
    assert sizes == [2, 2, 1]
    assert len(list(build_data_loader(dataset=Numbers(5), batch_size=2, drop_last=True))) == 2


def test_the_given_sampler_is_attached():
    sampler = DistributedSampler()
    with pytest.raises(ValueError, match="no dataset"):
        len(sampler)
    loader = build_data_loader(dataset=Numbers(5), batch_size=1, sampler=sampler, shuffle=True, seed=4)
    assert loader.sampler is sampler and (sampler.shuffle, sampler.seed, len(sampler)) == (True, 4, 5)


def test_bad_numbers_are_named():
    with pytest.raises(RunError, match="`batch_size` must be at least 1"):
        build_data_loader(dataset=Numbers(5), batch_size=0)
    with pytest.raises(RunError, match="`num_workers` at least 0, got 1, -1"):
        build_data_loader(dataset=Numbers(5), batch_size=1, num_workers=-1)
