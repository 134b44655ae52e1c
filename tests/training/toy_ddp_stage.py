"""A stage script of two processes, whose model has a part that no loss reads.

Usage: `toy_ddp_stage.py EXPERIMENT`.
"""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]

from torch import nn  # noqa: E402
from toy_parts import ToyModel, toy_trainer  # noqa: E402

from runtime.training.stage_entry import run_stage  # noqa: E402


class ModelWithIdlePart(ToyModel):
    def __init__(self) -> None:
        super().__init__()
        self.idle = nn.Linear(2, 2)


run_stage(
    stage="float",
    experiment=Path(sys.argv[1]),
    build_trainer=lambda: toy_trainer(model=ModelWithIdlePart, num_devices=2, num_epochs=1),
    argv=["--threads", "1"],
)
