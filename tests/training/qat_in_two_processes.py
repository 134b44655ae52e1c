"""QAT in two processes, with learned and with moving scales; each process leaves its weights as
`<scales>-rank<n>.safetensors` in the experiment.

Usage: `qat_in_two_processes.py EXPERIMENT`.
"""

import sys
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]

import lightning.pytorch as pl  # noqa: E402
import torch  # noqa: E402
from bev_parts import bev_trainer, qat_pipeline  # noqa: E402

from runtime.quantization.config import ScaleLearning  # noqa: E402
from runtime.training.callbacks.checkpoint import Checkpoint  # noqa: E402
from runtime.training.callbacks.validation import Validation  # noqa: E402
from runtime.training.weights_file import save_weights  # noqa: E402

EXPERIMENT = Path(sys.argv[1])


class KeepWeights(pl.Callback):
    def __init__(self, scales: str) -> None:
        self.scales = scales

    def on_validation_end(self, trainer: pl.Trainer, module: Any) -> None:
        path = EXPERIMENT / f"{self.scales}-rank{trainer.global_rank}.safetensors"
        save_weights(path, module.model.state_dict(), {"metrics": module.results})


torch.set_num_threads(1)
SCALES: tuple[ScaleLearning, ...] = ("lsq", "moving_average")
for scales in SCALES:
    bev_trainer(
        model_convert_pipeline=qat_pipeline(scales),
        num_devices=2,
        callbacks=[Validation(), Checkpoint(), KeepWeights(scales)],
    ).fit(EXPERIMENT / "runs" / f"1000-{scales}")
