"""A BEV model of a few channels on noise, from float training over calibration to QAT, in seconds."""

import importlib.util
from collections.abc import Callable, Sequence
from functools import cache, partial
from itertools import chain
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchmetrics import Metric
from torchmetrics.utilities.data import dim_zero_cat

from runtime.data.sampler import DistributedSampler
from runtime.models.structure import BevStructure
from runtime.quantization.config import QuantizationConfig, QuantizationRule, ScaleLearning
from runtime.tasks.segmentation.metric import SegmentationIoU
from runtime.training.batch_processor import BatchProcessor
from runtime.training.calibrator import Calibrator
from runtime.training.callbacks.checkpoint import Checkpoint
from runtime.training.callbacks.cos_lr_updater import CosLrUpdater
from runtime.training.callbacks.validation import Validation
from runtime.training.convert import ModelConvertPipeline
from runtime.training.float_trainer import DistributedDataParallelTrainer
from runtime.training.load_checkpoint import LoadCheckpoint
from runtime.training.optimizer import AdamW
from runtime.training.quantization_converters import Float2Calibration, Float2QAT
from runtime.training.stage_entry import run_stage

IMAGE = (32, 64)
MODELS = Path(__file__).resolve().parents[1] / "models" / "conftest.py"
RULES = (
    QuantizationRule(match="img", scale=1 / 128),
    QuantizationRule(op="points", bits=16),
    QuantizationRule(op="output", bits=32),
)


@cache
def models() -> Any:
    """The builders that the tests of models share."""
    spec = importlib.util.spec_from_file_location("models_for_training", MODELS)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def bev_model(*, drop_prob: float = 0.1) -> BevStructure:
    """The reference's parts for 32 x 64 images and BEV maps of 16 x 16 cells."""
    return models().build_model(
        input_hw=IMAGE,
        bev_size=(8.0, 8.0, 1.0),
        task_size=(4.0, 4.0, 0.5),
        width=0.25,
        depth=0.3,
        indexes=(-4, -1),
        neck_channels=8,
        bev_channels=8,
        head_channels=8,
        stack=1,
        drop_prob=drop_prob,
    )


class BevDataset(Dataset):
    """`size` samples of noise, the same ones every time, as the real dataset gives them."""

    split = "noise"
    digest = "5eed"

    def __init__(self, size: int) -> None:
        before = torch.get_rng_state()
        torch.manual_seed(11)
        half = 6.0
        self.batches = [
            models().build_batch(samples=1, input_hw=IMAGE, seg_hw=(16, 16), half=half) for _ in range(size)
        ]
        torch.set_rng_state(before)

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> dict[str, Any]:
        batch = self.batches[index]
        return {**batch, "img": batch["img"].clamp(-0.99, 0.99), "token": [f"token{index}"]}


def collate(samples: Sequence[dict[str, Any]]) -> dict[str, Any]:
    joined: dict[str, Any] = {}
    for key, first in samples[0].items():
        parts = [sample[key] for sample in samples]
        joined[key] = torch.cat(parts) if isinstance(first, Tensor) else list(chain.from_iterable(parts))
    return joined


def bev_loader(*, size: int, shuffle: bool = False) -> DataLoader:
    """Batches of two samples."""
    dataset, sampler = BevDataset(size), DistributedSampler()
    sampler.attach(dataset=dataset, shuffle=shuffle, seed=0)
    return DataLoader(dataset, batch_size=2, sampler=sampler, collate_fn=collate)


class BoxDigest(Metric):
    """Numbers in which every bit of the boxes counts; `NDS` is the mean score."""

    full_state_update = False
    name = "bev_det"
    rows: list[Tensor]

    def __init__(self) -> None:
        super().__init__()
        self.add_state("rows", default=[], dist_reduce_fx="cat")

    def update(self, predictions: Sequence[dict[str, Tensor]], batch: dict[str, Any]) -> None:
        for found, token in zip(predictions, batch["token"], strict=True):
            scores = found["scores"].double()
            boxes = found["boxes"].double().sum()
            number = float(token.removeprefix("token"))
            row = [number, float(scores.sum()), float(boxes), float(len(scores))]
            self.rows.append(torch.tensor([row], dtype=torch.float64))

    def compute(self) -> dict[str, float]:
        rows = sorted(dim_zero_cat(self.rows).tolist())
        scores, boxes, count = (sum(row[column] for row in rows) for column in (1, 2, 3))
        return {"NDS": scores / max(count, 1), "boxes": boxes, "count": count}


def metrics() -> list[Metric]:
    return [BoxDigest(), SegmentationIoU(name="bev_seg")]


def to_calibration(**settings: Any) -> Float2Calibration:
    config = QuantizationConfig(rules=RULES, **settings)
    return Float2Calibration(quantization=config, image_size=IMAGE, num_views=6)


def to_qat(scales: ScaleLearning = "lsq") -> Float2QAT:
    config = QuantizationConfig(rules=RULES)
    return Float2QAT(quantization=config, image_size=IMAGE, num_views=6, scales=scales)


def calibration_pipeline(**settings: Any) -> ModelConvertPipeline:
    return ModelConvertPipeline(
        converters=[LoadCheckpoint(stage="float"), to_calibration(**settings)], qat_mode="fuse_bn"
    )


def qat_pipeline(scales: ScaleLearning = "lsq") -> ModelConvertPipeline:
    return ModelConvertPipeline(
        converters=[to_qat(scales), LoadCheckpoint(stage="calibration")], qat_mode="fuse_bn"
    )


def calibrator(**changes: Any) -> Calibrator:
    """Two batches observed, three samples judged."""
    arguments: dict[str, Any] = {
        "model": bev_model,
        "model_convert_pipeline": calibration_pipeline(),
        "data_loader": partial(bev_loader, size=4, shuffle=True),
        "val_data_loader": partial(bev_loader, size=3),
        "val_metrics": metrics(),
        "batch_processor": BatchProcessor(),
        "num_steps": 2,
        "analysis_samples": 0,
        "device": "cpu",
        "callbacks": [Validation(), Checkpoint()],
        "seed": 3,
    }
    return Calibrator(**{**arguments, **changes})


def bev_trainer(**changes: Any) -> DistributedDataParallelTrainer:
    """Float training of two epochs of two steps; with a pipeline of QAT, that."""
    arguments: dict[str, Any] = {
        "model": bev_model,
        "data_loader": partial(bev_loader, size=4, shuffle=True),
        "val_data_loader": partial(bev_loader, size=3),
        "val_metrics": metrics(),
        "optimizer": AdamW(lr=1e-3, params={"weight": {"weight_decay": 0.01}}),
        "batch_processor": BatchProcessor(gradient_clip_val=10.0),
        "device": "cpu",
        "num_epochs": 2,
        "callbacks": [CosLrUpdater(), Validation(), Checkpoint()],
        "seed": 3,
    }
    return DistributedDataParallelTrainer(**{**arguments, **changes})


def run(stage: str, experiment: Path, build: Callable[[], Any], *argv: str) -> int:
    """A stage as its script runs it; its exit status."""
    with pytest.raises(SystemExit) as ended:
        run_stage(stage, experiment, build, list(argv))
    return int(str(ended.value.code))


def trained_experiment(folder: Path, *, calibrated: bool) -> Path:
    """An experiment whose stage `float`, and if wanted `calibration`, has finished."""
    experiment = folder / "experiments" / "bev"
    experiment.mkdir(parents=True)
    (experiment / "experiment.lock").write_text('spec = "bev"\n')
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        assert run("float", experiment, bev_trainer) == 0
        if calibrated:
            assert run("calibration", experiment, calibrator) == 0
    finally:
        torch.set_num_threads(threads)
    return experiment


class Losses(pl.Callback):
    """The loss of every step."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.values.append(float(outputs["loss"]))
