"""A toy experiment: two decoders on a four-number input, with dropout, augmentation by (seed, epoch, index)
and a real metric."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Sampler

from runtime.training.batch_processor import BatchProcessor
from runtime.training.callbacks.checkpoint import Checkpoint
from runtime.training.callbacks.cyclic_lr_updater import CyclicLrUpdater
from runtime.training.callbacks.loss_show import LossShow
from runtime.training.callbacks.stats_monitor import StatsMonitor
from runtime.training.callbacks.tensor_board import TensorBoard
from runtime.training.callbacks.validation import Validation
from runtime.training.float_trainer import DistributedDataParallelTrainer
from runtime.training.optimizer import AdamW


class ToyDataset(Dataset):
    """`size` points of a linear relation; training points are jittered by a draw of (seed, epoch, index)."""

    split = "toy-val"
    digest = "d1ce"

    def __init__(self, *, size: int = 8, jitter: float = 0.0, poison: int | None = None) -> None:
        self.jitter = jitter
        self.poison = poison
        self.epoch = torch.zeros((), dtype=torch.int64).share_memory_()
        draws = np.random.default_rng(5)
        self.inputs = torch.from_numpy(draws.normal(size=(size, 4)).astype(np.float32))
        self.truth = self.inputs @ torch.tensor([1.0, -2.0, 0.5, 0.0])

    def __len__(self) -> int:
        return len(self.inputs)

    def set_epoch(self, epoch: int) -> None:
        self.epoch.fill_(epoch)

    def __getitem__(self, index: int) -> dict[str, Any]:
        draws = np.random.default_rng([0, int(self.epoch), index])
        noise = torch.from_numpy(draws.normal(size=4).astype(np.float32)) * self.jitter
        poison = float("nan") if index == self.poison else 0.0
        return {
            "img": self.inputs[index] + noise,
            "truth": self.truth[index] + poison,
            "token": f"token{index}",
        }


class EpochSampler(Sampler):
    """A permutation that depends on the epoch alone."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[int]:
        yield from np.random.default_rng(self.epoch).permutation(self.size).tolist()


class ToyModel(nn.Module):
    def __init__(self, *, width: int = 8) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(4, width), nn.BatchNorm1d(width), nn.Dropout(0.2))
        self.head = nn.Linear(width, 1)

    def forward(self, batch: dict[str, Any]) -> dict[str, Any]:
        values = self.head(self.backbone(batch["img"]))[:, 0]
        if not self.training:
            return {"toy": values}
        error = values - batch["truth"]
        return {"toy/loss_square": error.square().mean(), "toy/loss_abs": 0.1 * error.abs().mean()}


class ToyMetric:
    name = "toy"

    def __init__(self) -> None:
        self.errors: list[Tensor] = []

    def reset(self) -> None:
        self.errors = []

    def update(self, predictions: Tensor, batch: dict[str, Any]) -> None:
        self.errors.append((predictions - batch["truth"]).abs())

    def compute(self) -> dict[str, float]:
        return {"NDS": 1.0 / (1.0 + float(torch.cat(self.errors).mean())), "AP/car": 0.5}


def collate(samples: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "img": torch.stack([sample["img"] for sample in samples]),
        "truth": torch.stack([sample["truth"] for sample in samples]),
        "token": [sample["token"] for sample in samples],
    }


def train_loader(*, size: int = 8, poison: int | None = None, num_workers: int = 0) -> DataLoader:
    dataset = ToyDataset(size=size, jitter=0.1, poison=poison)
    return DataLoader(
        dataset,
        batch_size=2,
        sampler=EpochSampler(size),
        collate_fn=collate,
        num_workers=num_workers,
        persistent_workers=num_workers > 0,
    )


def val_loader() -> DataLoader:
    return DataLoader(ToyDataset(size=6), batch_size=2, collate_fn=collate)


def toy_trainer(**changes: Any) -> DistributedDataParallelTrainer:
    arguments: dict[str, Any] = {
        "model": ToyModel,
        "data_loader": train_loader,
        "val_data_loader": val_loader,
        "val_metrics": [ToyMetric()],
        "optimizer": AdamW(lr=1e-2, params={"weight": {"weight_decay": 0.01}}),
        "batch_processor": BatchProcessor(gradient_clip_val=10.0),
        "device": "cpu",
        "num_epochs": 3,
        "callbacks": [
            StatsMonitor(log_freq=2),
            LossShow(log_freq=2),
            CyclicLrUpdater(step_log_interval=4),
            Validation(),
            Checkpoint(),
            TensorBoard(log_freq=2),
        ],
        "seed": 3,
    }
    return DistributedDataParallelTrainer(**{**arguments, **changes})
