"""A stage script as the compiler would write it, for a process of its own.

Usage: `toy_stage.py EXPERIMENT SECONDS ARGUMENTS...`. From the second epoch on a sample takes so long.
"""

import sys
import time
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]

import toy_parts  # noqa: E402

from runtime.training.stage_entry import run_stage  # noqa: E402


class SlowDataset(toy_parts.ToyDataset):
    def __getitem__(self, index: int) -> dict[str, Any]:
        time.sleep(float(sys.argv[2]) if int(self.epoch) else 0.0)
        return super().__getitem__(index)


toy_parts.ToyDataset = SlowDataset  # type: ignore[misc]
run_stage(
    stage="float",
    experiment=Path(sys.argv[1]),
    build_trainer=toy_parts.toy_trainer,
    argv=sys.argv[3:],
)
