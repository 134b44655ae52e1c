"""Draws evaluated samples while they pass by."""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch

from runtime.training.evaluation import whole_dataset
from runtime.training.report import say
from runtime.visualization.sample_picture import save_sample
from runtime.visualization.scene import Boxes, Scene


class SamplePictures(pl.Callback):
    """Writes pictures of `count` samples, evenly spread over the evaluated ones.

    The dataset gives the images as stored (`camera_images(index)`), sharper than what the network sees.

    Args:
        folder: made when the first picture is written.
        count: number of pictures.
    """

    def __init__(self, folder: Path, count: int) -> None:
        self.folder = folder
        self.count = count
        self.written: list[Path] = []
        self._seen = 0
        self._wanted: set[int] = set()

    def on_validation_start(self, trainer: pl.Trainer, module: Any) -> None:
        total = len(module.val_loader.dataset)
        self._seen = 0
        self._wanted = set(np.linspace(0, total - 1, min(self.count, total)).round().astype(int).tolist())
        if self._wanted and not hasattr(whole_dataset(module.val_loader), "camera_images"):
            say("warning: no pictures, the dataset has no `camera_images`")
            self._wanted = set()

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        module: Any,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        dataset = whole_dataset(module.val_loader)
        for row, token in enumerate(batch["token"]):
            if self._seen in self._wanted:
                path = self.folder / f"{self._seen:05d}-{token}.png"
                save_sample(path, make_scene(dataset, self._seen, outputs, batch, row))
                self.written.append(path)
            self._seen += 1


def make_scene(dataset: Any, index: int, predictions: Any, batch: Any, row: int) -> Scene:
    """Sample `index` of `dataset`, which is row `row` of `batch`, with its predictions.

    Which decoder does what shows in its predictions: detections are dicts, a map is one tensor of labels.
    """
    images, ego2img = dataset.camera_images(index)
    predicted, predicted_map = Boxes(), None
    for prediction in predictions.values():
        if isinstance(prediction, torch.Tensor):
            predicted_map = _array(prediction[row])
        else:
            found = prediction[row]
            predicted = Boxes(_array(found["boxes"]), _array(found["labels"]), _array(found["scores"]))
    return Scene(
        token=batch["token"][row],
        images=images,
        ego2img=np.asarray(ego2img),
        truth=Boxes(_array(batch["gt_boxes"][row]).astype(np.float64), _array(batch["gt_labels"][row])),
        predicted=predicted,
        truth_map=_array(batch["gt_seg"][row]) if predicted_map is not None else None,
        predicted_map=predicted_map,
        bev_size=_size(dataset.bev_grid),
        map_size=_size(dataset.map_grid),
    )


def _array(tensor: torch.Tensor) -> Any:
    return tensor.detach().cpu().numpy()


def _size(grid: Any) -> tuple[float, float, float]:
    return float(grid.half_y), float(grid.half_x), float(grid.resolution)
