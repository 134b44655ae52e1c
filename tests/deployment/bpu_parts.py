"""The stages `compile` and `align_bpu`, for the small model of the tests of training on camera images."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from bev_parts import BevDataset, bev_model, collate, metrics
from torch.utils.data import DataLoader

from runtime.deployment.bpu_predictor import BpuPredictor
from runtime.deployment.hbm_compiler import HbmCompiler
from runtime.deployment.nv12 import chip_codes, to_nv12, unsigned
from runtime.deployment.stage_entry import run_predictor, run_tool


class CameraDataset(BevDataset):
    """Noise of bytes less 128, divided by 128.

    Args:
        size: samples.
        nv12: whether its chroma has gone through NV12.
    """

    def __init__(self, size: int, *, nv12: bool = False) -> None:
        super().__init__(size)
        self.nv12 = nv12

    def __getitem__(self, index: int) -> dict[str, Any]:
        item = super().__getitem__(index)
        codes = (item["img"] * 128).floor().char()
        if self.nv12:
            codes = chip_codes(to_nv12(unsigned(codes)))
        return {**item, "img": codes / 128}


def camera_loader(size: int = 3, batch_size: int = 2, *, nv12: bool = False) -> DataLoader:
    return DataLoader(CameraDataset(size, nv12=nv12), batch_size=batch_size, collate_fn=collate)


def compiler(**changes: Any) -> HbmCompiler:
    return HbmCompiler(**{"march": "bayes", **changes})


def bpu_predictor(**changes: Any) -> BpuPredictor:
    """Judges three samples, the first two also instruction by instruction."""
    arguments: dict[str, Any] = {
        "model": bev_model,
        "march": "bayes",
        "val_data_loader": partial(camera_loader, 3),
        "val_metrics": metrics(),
        "simulated_samples": 2,
        "device": "cpu",
    }
    return BpuPredictor(**{**arguments, **changes})


def compiled(experiment: Path, build: Callable[[], HbmCompiler] = compiler, *argv: str) -> int:
    """The stage `compile` as its script runs it; its exit status."""
    return _status(lambda: run_tool("compile", experiment, build, list(argv)))


def aligned(experiment: Path, build: Callable[[], BpuPredictor] = bpu_predictor, *argv: str) -> int:
    """The stage `align_bpu` as its script runs it; its exit status."""
    return _status(lambda: run_predictor("align_bpu", experiment, build, list(argv)))


def _status(call: Callable[[], Any]) -> int:
    with pytest.raises(SystemExit) as ended:
        call()
    return int(str(ended.value.code))
