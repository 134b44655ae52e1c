"""A stage script of two processes, whose model has a part that no loss reads.

Usage: `toy_ddp_stage.py EXPERIMENT [SECONDS]`. With seconds, a batch takes so long and the run does not end.
"""

import sys
import time
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]

from torch import nn  # noqa: E402
from torch.utils.data import DataLoader  # noqa: E402
from toy_parts import ToyDataset, ToyModel, collate, toy_trainer  # noqa: E402

from runtime.data.sampler import DistributedSampler  # noqa: E402
from runtime.training.stage_entry import run_stage  # noqa: E402

SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 0.0


class ModelWithIdlePart(ToyModel):
    def __init__(self) -> None:
        super().__init__()
        self.idle = nn.Linear(2, 2)

    def forward(self, batch: dict[str, Any]) -> dict[str, Any]:
        time.sleep(SECONDS)
        return super().forward(batch)


def three_samples() -> DataLoader:
    dataset, sampler = ToyDataset(size=3), DistributedSampler()
    sampler.attach(dataset=dataset, shuffle=False, seed=0)
    return DataLoader(dataset, batch_size=2, sampler=sampler, collate_fn=collate)


run_stage(
    stage="float",
    experiment=Path(sys.argv[1]),
    build_trainer=lambda: toy_trainer(
        model=ModelWithIdlePart,
        val_data_loader=three_samples,
        num_devices=2,
        num_epochs=1000 if SECONDS else 1,
    ),
    argv=["--threads", "1"],
)
