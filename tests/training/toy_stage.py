"""A stage script as the compiler would write it, run by tests in a process of its own: `toy_stage.py EXPERIMENT DELAY ARGUMENTS...`."""

import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]

from toy_parts import ToyDataset, toy_trainer

from runtime.training.stage_entry import run_stage

DELAY = float(sys.argv[2])


class SlowDataset(ToyDataset):
    def __getitem__(self, index: int) -> dict:
        time.sleep(DELAY if int(self.epoch) else 0.0)
        return super().__getitem__(index)


def build_trainer():
    import toy_parts

    toy_parts.ToyDataset = SlowDataset
    return toy_trainer()


run_stage(stage="float", experiment=Path(sys.argv[1]), build_trainer=build_trainer, argv=sys.argv[3:])
