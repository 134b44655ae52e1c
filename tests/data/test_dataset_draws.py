"""Random transforms draw by seed, epoch and index: not by order, worker, process or copy of the dataset."""

import pickle
from typing import Any

import pytest
import torch
from packed_datasets import RANDOM, assert_same, dataset

from runtime.data.loader import build_data_loader


def test_draws_depend_on_seed_epoch_and_index_only(packed: Any):
    data, other = dataset(packed.train, RANDOM), dataset(packed.train, RANDOM)
    data.set_epoch(3)
    other.set_epoch(3)
    one = data[2]
    for index in (5, 0, 2):
        other[index]
    assert_same(one, other[2])
    data.set_epoch(4)
    assert not torch.equal(data[2]["ego2img"], one["ego2img"])
    assert not torch.equal(
        dataset(packed.train, RANDOM, seed=1)[2]["ego2img"], dataset(packed.train, RANDOM)[2]["ego2img"]
    )
    views_move = one["ego2img"] @ torch.linalg.inv(dataset(packed.train, [])[2]["ego2img"])
    torch.testing.assert_close(views_move, views_move[:1].expand_as(views_move), atol=1e-6, rtol=0)


@pytest.mark.parametrize("workers", [1, 2])
def test_batches_do_not_depend_on_the_number_of_workers(packed: Any, workers: int):
    def epochs(num_workers: int) -> list[dict[str, Any]]:
        data = dataset(packed.train, RANDOM)
        loader = build_data_loader(dataset=data, batch_size=2, shuffle=True, num_workers=num_workers, seed=7)
        batches = []
        for epoch in (0, 1):
            loader.sampler.set_epoch(epoch)  # type: ignore[attr-defined]
            assert data.epoch == epoch
            batches += list(loader)
        return batches

    alone, together = epochs(0), epochs(workers)
    assert len(alone) == len(together) == 6
    for one, other in zip(alone, together, strict=True):
        assert_same(one, other)
    assert [b["token"] for b in alone[:3]] != [b["token"] for b in alone[3:]]


def test_it_survives_pickling_after_use_and_two_can_share_a_pack(packed: Any):
    data = dataset(packed.train, RANDOM)
    first = data[0]
    assert_same(first, pickle.loads(pickle.dumps(data))[0])
    assert_same(first, dataset(packed.train, RANDOM)[0])
    assert_same(first, data[0])


def test_it_works_in_spawned_workers(packed: Any):
    data = dataset(packed.train, RANDOM)
    expected = data[0]
    loader = torch.utils.data.DataLoader(
        data, num_workers=1, multiprocessing_context="spawn", batch_size=None
    )
    assert_same(expected, next(iter(loader)))
