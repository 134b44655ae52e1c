"""Detections brought into the global frame and written as an official result file."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from runtime.evaluation.global_boxes import attributes_of, detections_to_global
from runtime.evaluation.nuscenes_results import write_results
from runtime.evaluation.quaternion_matrix import rotation_matrix, yaw
from runtime.geometry.boxes import box_corners
from runtime.geometry.class_names import DETECTION_CLASSES
from runtime.geometry.frames import planar, rigid, transform_points
from runtime.geometry.frames import rotation_matrix as plain_rotation_matrix

BOX = [10.0, 2.0, 1.0, 2.0, 4.0, 1.5, 0.3, 3.0, -1.0]


def test_a_quarter_turn_by_hand() -> None:
    pose = planar(100.0, 200.0, math.pi / 2, z=5.0)
    found = detections_to_global([BOX], [0.5], [0], pose)
    np.testing.assert_allclose(found.translation, [[98.0, 210.0, 6.0]])
    np.testing.assert_allclose(found.velocity, [[1.0, 3.0]])
    assert float(yaw(found.rotation[0])) == pytest.approx(math.pi / 2 + 0.3)
    assert found.size.tolist() == [[2.0, 4.0, 1.5]]
    assert found.attribute.tolist() == ["vehicle.moving"]


def test_corners_move_with_a_tilted_car() -> None:
    """Size and rotation describe the very solid that the ego frame's box is."""
    q = np.array([0.8, 0.05, -0.03, 0.6])
    pose = rigid(q / np.linalg.norm(q), [50.0, -20.0, 3.0])
    found = detections_to_global([BOX], [0.5], [0], pose)
    width, length, height = found.size[0]
    local = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) / 2
    corners = local * [length, width, height] @ rotation_matrix(found.rotation[0]).T + found.translation[0]
    expected = transform_points(pose, box_corners([BOX])[0])
    order = [np.lexsort(points.round(6).T) for points in (corners, expected)]
    np.testing.assert_allclose(corners[order[0]], expected[order[1]], atol=1e-9)


def test_rotation_matrices_agree_with_the_plain_formula() -> None:
    rng = np.random.default_rng(0)
    for q in rng.normal(size=(50, 4)):
        np.testing.assert_allclose(rotation_matrix(q), plain_rotation_matrix(q), atol=1e-14)


def test_attributes_follow_class_and_speed() -> None:
    labels = np.arange(10)
    moving = dict(zip(DETECTION_CLASSES, attributes_of(labels, np.full(10, 1.0)), strict=True))
    resting = dict(zip(DETECTION_CLASSES, attributes_of(labels, np.full(10, 0.1)), strict=True))
    assert moving["car"] == moving["bus"] == "vehicle.moving"
    assert (resting["car"], resting["bus"]) == ("vehicle.parked", "vehicle.stopped")
    assert (moving["bicycle"], resting["bicycle"]) == ("cycle.with_rider", "cycle.without_rider")
    assert (moving["pedestrian"], resting["pedestrian"]) == ("pedestrian.moving", "pedestrian.standing")
    assert moving["barrier"] == resting["traffic_cone"] == ""
    assert attributes_of(np.array([0]), np.array([np.nan]))[0] == "vehicle.parked"


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        (0, math.nan, "is not a finite number"),
        (6, math.inf, "is not a finite number"),
        (4, 0.0, r"has the size 0\.0, expected positive metres"),
    ],
)
def test_impossible_boxes_are_refused(column: int, value: float, message: str) -> None:
    box = list(BOX)
    box[column] = value
    with pytest.raises(ValueError, match=message):
        detections_to_global([box], [0.5], [0], np.eye(4))


def test_labels_and_lengths_are_checked() -> None:
    with pytest.raises(ValueError, match=r"label outside \[0, 10\)"):
        detections_to_global([BOX], [0.5], [10], np.eye(4))
    with pytest.raises(ValueError, match="1 boxes, 2 scores and 1 labels"):
        detections_to_global([BOX], [0.5, 0.4], [1], np.eye(4))


def test_result_file_keeps_every_digit(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    boxes = rng.normal(size=(7, 9)).astype(np.float32)
    boxes[:, 3:6] = np.abs(boxes[:, 3:6])
    found = detections_to_global(
        boxes, rng.random(7, dtype=np.float32), rng.integers(0, 10, 7), planar(1, 2, 3)
    )
    path = tmp_path / "deep" / "results.json"
    write_results(path, {"a": found, "b": detections_to_global(np.zeros((0, 9)), [], [], np.eye(4))})
    document = json.loads(path.read_text())
    assert document["meta"]["use_camera"] is True
    assert list(document["results"]) == ["a", "b"]
    assert document["results"]["b"] == []
    rows = document["results"]["a"]
    assert all(row["sample_token"] == "a" for row in rows)
    assert [row["detection_name"] for row in rows] == [DETECTION_CLASSES[i] for i in found.label]
    for field in ("translation", "size", "rotation", "velocity"):
        assert np.array_equal([row[field] for row in rows], getattr(found, field))
    assert [row["detection_score"] for row in rows] == found.score.tolist()
    assert [entry.name for entry in path.parent.iterdir()] == ["results.json"]


def test_too_many_boxes_leave_no_file(tmp_path: Path) -> None:
    boxes = np.tile(BOX, (501, 1))
    found = detections_to_global(boxes, np.ones(501), np.zeros(501), np.eye(4))
    with pytest.raises(ValueError, match="sample a has 501 boxes, at most 500 are allowed"):
        write_results(tmp_path / "results.json", {"a": found})
    assert list(tmp_path.iterdir()) == []
