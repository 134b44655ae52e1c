"""A stage `qat` of two processes, each of which leaves its weights as `rank<n>.safetensors`.

Usage: `qat_ddp_stage.py EXPERIMENT SCALES`.
"""

import sys
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]

import lightning.pytorch as pl  # noqa: E402
from bev_parts import bev_trainer, qat_pipeline  # noqa: E402

from runtime.training.callbacks.checkpoint import Checkpoint  # noqa: E402
from runtime.training.callbacks.validation import Validation  # noqa: E402
from runtime.training.stage_entry import run_stage  # noqa: E402
from runtime.training.weights_file import save_weights  # noqa: E402

EXPERIMENT = Path(sys.argv[1])


class KeepWeights(pl.Callback):
    def on_validation_end(self, trainer: pl.Trainer, module: Any) -> None:
        results = {"metrics": module.results}
        path = EXPERIMENT / f"rank{trainer.global_rank}.safetensors"
        save_weights(path, module.model.state_dict(), results)


run_stage(
    stage="qat",
    experiment=EXPERIMENT,
    build_trainer=lambda: bev_trainer(
        model_convert_pipeline=qat_pipeline(sys.argv[2]),  # type: ignore[arg-type]
        num_devices=2,
        callbacks=[Validation(), Checkpoint(), KeepWeights()],
    ),
    argv=["--threads", "1"],
)
