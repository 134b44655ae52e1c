"""What lies in the folder afterwards."""

import dataclasses
import io
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from infer_parts import Tiny
from PIL import Image

from runtime.deployment.infer.image_folder import read_folder
from runtime.deployment.infer.output_files import index_png, write_outputs
from runtime.deployment.infer.prediction import MapLabels, Prediction
from runtime.deployment.infer.result_file import result_document
from runtime.deployment.infer.summary import summary_text
from runtime.errors import RunError
from runtime.geometry.bev_grid import BevGrid
from runtime.geometry.class_names import DETECTION_CLASSES
from runtime.geometry.frames import matrix_yaw, rotation_matrix
from runtime.visualization.palette import MAP_COLORS


@pytest.fixture(scope="module")
def prediction(tiny: Tiny, exported_folder: Path) -> Prediction:
    return tiny.predict(read_folder(exported_folder))


def document(prediction: Prediction) -> dict:
    return result_document(prediction, model={"digest": "5eed"}, run={"device": "cpu"})


def test_the_result_is_the_prediction(prediction: Prediction, tmp_path: Path) -> None:
    write_outputs(tmp_path, prediction, document(prediction), score=0.3)
    read = json.loads((tmp_path / "result.json").read_text())
    boxes = read["tasks"]["bev_det"]["boxes"]
    found = prediction.results["bev_det"]
    assert len(boxes) == len(found.scores) > 0
    assert [box["score"] for box in boxes] == sorted((box["score"] for box in boxes), reverse=True)
    for box, row, score, label in zip(boxes, found.boxes, found.scores, found.labels, strict=True):
        values = [*box["center"], *box["size"], box["yaw"], *box["velocity"]]
        assert (np.array(values, dtype=np.float32) == row).all()
        assert np.float32(box["score"]) == score and box["class"] == DETECTION_CLASSES[label]
    assert read["sample"] == prediction.frame.name and read["model"]["digest"] == "5eed"
    assert read["image_size"] == {
        "stored": {"width": 480, "height": 270},
        "network": {"width": 64, "height": 32},
    }


def test_boxes_are_global_too_where_the_place_of_the_car_is_known(prediction: Prediction) -> None:
    pose = prediction.frame.ego2global
    box = document(prediction)["tasks"]["bev_det"]["boxes"][0]
    there = box["global"]
    assert there["center"] == pytest.approx((pose @ [*box["center"], 1])[:3], abs=1e-6)
    turned = matrix_yaw(rotation_matrix(there["rotation"])) - matrix_yaw(pose)
    assert np.cos(turned) == pytest.approx(np.cos(box["yaw"]), abs=1e-6)
    assert np.sin(turned) == pytest.approx(np.sin(box["yaw"]), abs=1e-6)


def test_without_that_place_they_are_not(tiny: Tiny, folder: Path) -> None:
    path = folder / "calibration.json"
    values = json.loads(path.read_text())
    del values["ego_to_global"]
    path.write_text(json.dumps(values))
    boxes = document(tiny.predict(read_folder(folder)))["tasks"]["bev_det"]["boxes"]
    assert boxes and all("global" not in box for box in boxes)


def test_the_map_lies_where_the_result_says(prediction: Prediction, tmp_path: Path) -> None:
    labels = np.random.default_rng(0).integers(0, 4, size=(8, 16))
    found = MapLabels(labels, (2.0, 4.0, 0.5))
    changed = dataclasses.replace(prediction, results={"bev_seg": found})
    write_outputs(tmp_path, changed, document(changed), score=0.3)
    told = document(changed)["tasks"]["bev_seg"]
    pixels = np.array(Image.open(tmp_path / told["file"]))
    row, column = np.indices(pixels.shape)
    x = told["half_x"] - (row + 0.5) * told["cell"]
    y = told["half_y"] - (column + 0.5) * told["cell"]
    cells = BevGrid.from_size(found.size).metres_to_cells(np.stack([x, y], axis=-1))
    at = np.round(cells).astype(int)
    assert np.abs(cells - at).max() < 1e-9
    assert (labels[at[..., 1], at[..., 0]] == pixels).all()
    for entry in told["classes"]:
        count = int((labels == entry["index"]).sum())
        assert (entry["cells"], entry["area"]) == (count, count * 0.25)


def test_a_map_is_indices_with_the_colours_of_the_picture() -> None:
    """The car's right, behind: row 0, column 0 of the labels; below on the right of the picture."""
    labels = np.zeros((3, 2), dtype=np.int64)
    labels[0, 0] = 2
    image = Image.open(io.BytesIO(index_png(labels)))
    assert np.array(image).tolist() == [[0, 0, 0], [0, 0, 2]]
    assert image.convert("RGB").getpixel((2, 1)) == MAP_COLORS[2]


def test_the_same_prediction_gives_the_same_bytes_and_other_files_stay(
    prediction: Prediction, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    written = write_outputs(tmp_path, prediction, document(prediction), score=0.3)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert sorted(before) == ["map-bev_seg.png", "notes.txt", "picture.png", "result.json"]
    assert [path.name for path in written] == ["picture.png", "map-bev_seg.png", "result.json"]
    write_outputs(tmp_path, prediction, document(prediction), score=0.3)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_score_decides_what_is_drawn(prediction: Prediction, tmp_path: Path) -> None:
    scores = prediction.results["bev_det"].scores
    for name, score in (("all", 0.0), ("best", float(scores[0])), ("none", 1.0)):
        write_outputs(tmp_path / name, prediction, document(prediction), score=score)
    pictures = {name: cv2.imread(str(tmp_path / name / "picture.png")) for name in ("all", "best", "none")}
    assert pictures["all"].shape[1] == 1724
    assert (pictures["all"] != pictures["none"]).sum() > (pictures["best"] != pictures["none"]).sum() > 0


def test_a_folder_that_is_a_file(prediction: Prediction, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(RunError, match="File exists"):
        write_outputs(tmp_path / "out", prediction, document(prediction), score=0.3)


def test_the_summary_counts_boxes_and_areas() -> None:
    boxes = [{"class": "car", "score": score} for score in (0.9, 0.5, 0.2)]
    classes = [{"class": "others", "area": 12.5}]
    told = {"det": {"kind": "boxes", "boxes": boxes}, "seg": {"kind": "map", "cell": 0.5, "classes": classes}}
    assert summary_text({"tasks": told}, 0.5).splitlines() == [
        "det: 2 boxes with score >= 0.5, 1 below",
        "  car                        2",
        "seg: map of 0.5 m cells, square metres",
        "  others                    12.5",
    ]
