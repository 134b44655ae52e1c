"""What an evaluation writes besides numbers: pictures and the result file of the detection metric."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader
from toy_parts import ToyDataset, ToyMetric, ToyModel, collate, toy_trainer

from runtime.geometry.bev_grid import BevGrid
from runtime.training.sample_pictures import make_scene
from runtime.training.stage_entry import run_stage


class PictureDataset(ToyDataset):
    """Six grey images a sample, and grids, as the real dataset has them."""

    bev_grid = BevGrid.from_size((32.0, 32.0, 1.0))
    map_grid = BevGrid.from_size((15.0, 20.0, 0.5))
    line_width = 0.75

    def camera_images(self, index: int) -> tuple[list[np.ndarray], np.ndarray]:
        images = [np.full((36, 64, 3), 10 * index, dtype=np.uint8) for _ in range(6)]
        return images, np.stack([np.eye(4)] * 6)


def collate_labels(samples: list[dict[str, Any]]) -> dict[str, Any]:
    count = len(samples)
    return {
        **collate(samples),
        "gt_boxes": [torch.full((1, 9), float(index)) for index in range(count)],
        "gt_labels": [torch.tensor([index]) for index in range(count)],
        "gt_seg": torch.arange(count)[:, None, None].expand(count, 60, 80).clone(),
    }


class TwoDecoders(ToyModel):
    """Adds detections and a map to the toy predictions."""

    def forward(self, batch: dict[str, Any]) -> dict[str, Any]:
        answer = super().forward(batch)
        if self.training:
            return answer
        found = [
            {"boxes": torch.ones(2, 9), "scores": torch.tensor([0.9, 0.1]), "labels": torch.tensor([0, 8])}
            for _ in batch["token"]
        ]
        return {"toy": answer["toy"], "bev_det": found, "bev_seg": torch.zeros_like(batch["gt_seg"])}


class ResultMetric(ToyMetric):
    def write_results(self, path: Path) -> None:
        path.write_text(json.dumps({"results": len(self.errors)}))


def picture_loader() -> DataLoader:
    return DataLoader(PictureDataset(size=5), batch_size=2, collate_fn=collate_labels)


def predict(experiment: Path, *argv: str) -> Path:
    def build():
        return toy_trainer(
            model=TwoDecoders, val_data_loader=picture_loader, val_metrics=[ResultMetric()], callbacks=[]
        )

    with pytest.raises(SystemExit) as ended:
        run_stage("float", experiment, build, ["--predict", "--untrained", *argv])
    assert ended.value.code == 0
    return max((experiment / "runs").iterdir())


def test_pictures_are_spread_over_the_samples(experiment, capsys):
    folder = predict(experiment, "--pictures", "3")
    names = sorted(path.name for path in (folder / "pictures").iterdir())
    assert names == ["00000-token0.png", "00002-token2.png", "00004-token4.png"]
    picture = cv2.imread(str(folder / "pictures" / names[2]))
    # The camera image of the fifth sample, not of another one of its batch.
    assert picture[200, 300].tolist() == [40, 40, 40]
    outputs = json.loads((folder / "run.json").read_text())["outputs"]
    assert "pictures/00000-token0.png" in outputs
    assert str(folder / "pictures" / names[0]) in capsys.readouterr().err


def test_without_pictures_there_is_no_folder(experiment):
    assert not (predict(experiment) / "pictures").exists()


def test_the_detection_metric_writes_its_result_file(experiment):
    folder = predict(experiment)
    assert json.loads((folder / "toy-nuscenes-results.json").read_text()) == {"results": 3}


def test_a_scene_takes_the_row_of_its_sample():
    batch = next(iter(picture_loader()))
    predictions = TwoDecoders().eval()(batch)
    del predictions["toy"]
    scene = make_scene(PictureDataset(size=5), 1, predictions, batch, 1)
    assert scene.token == "token1"
    assert scene.truth.values.tolist() == [[1.0] * 9] and scene.truth.labels.tolist() == [1]
    assert (scene.truth_map == 1).all() and (scene.predicted_map == 0).all()
    assert scene.predicted.above(0.3).labels.tolist() == [0]
    assert scene.bev_size == (32.0, 32.0, 1.0) and scene.map_size == (15.0, 20.0, 0.5)
