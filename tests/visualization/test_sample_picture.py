from pathlib import Path

import cv2
import numpy as np
import pytest

from runtime.errors import RunError
from runtime.geometry.camera import project
from runtime.visualization.palette import BACKGROUND, CLASS_COLORS
from runtime.visualization.sample_picture import CAMERA_WIDTH, GAP, HEADER, MARGIN, draw_sample, save_sample
from runtime.visualization.scene import Boxes, Scene


def look(yaw: float) -> np.ndarray:
    """`ego2img` of a camera at the car's centre, 1.5 m high, turned by `yaw`, 160 x 90 pixels."""
    forward, right = np.array([np.cos(yaw), np.sin(yaw), 0]), np.array([np.sin(yaw), -np.cos(yaw), 0])
    matrix = np.eye(4)
    matrix[0, :3] = 100 * right + 79.5 * forward
    matrix[1, :3] = [0, 0, -100] + 44.5 * forward
    matrix[1, 3] = 150
    matrix[2, :3] = forward
    matrix[2, 3] = 0
    return matrix


YAWS = np.deg2rad([55, 0, -55, 110, 180, -110])
EGO2IMG = np.stack([look(yaw) for yaw in YAWS])


def scene(**changes) -> Scene:
    values = np.array(
        [[np.cos(yaw) * 10, np.sin(yaw) * 10, 1.0, 2.0, 4.0, 2.0, yaw, 0.0, 0.0] for yaw in YAWS]
    )
    arguments = {
        "token": "0123456789abcdef",
        "images": [np.full((90, 160, 3), 100, dtype=np.uint8)] * 6,
        "ego2img": EGO2IMG,
        "truth": Boxes(),
        "predicted": Boxes(values, np.arange(6), np.linspace(0.4, 0.9, 6)),
        "truth_map": np.zeros((60, 80), dtype=np.int64),
        "predicted_map": np.zeros((60, 80), dtype=np.int64),
        "bev_size": (32.0, 32.0, 1.0),
        "map_size": (15.0, 20.0, 0.5),
    }
    return Scene(**{**arguments, **changes})


def camera_part(picture: np.ndarray, view: int) -> np.ndarray:
    height = round(CAMERA_WIDTH * 90 / 160)
    x, y = MARGIN + view % 3 * (CAMERA_WIDTH + GAP), HEADER + view // 3 * (height + GAP)
    return picture[y : y + height, x : x + CAMERA_WIDTH]


def test_each_camera_shows_the_box_in_front_of_it():
    """Six cars, one ahead of each camera, each of another class: the cameras are in view order."""
    picture = draw_sample(scene())
    for view in range(6):
        part = camera_part(picture, view)
        back_top_left = np.array([8.0, 1.0, 2.0])
        turned = [
            back_top_left[0] * np.cos(YAWS[view]) - back_top_left[1] * np.sin(YAWS[view]),
            back_top_left[0] * np.sin(YAWS[view]) + back_top_left[1] * np.cos(YAWS[view]),
            back_top_left[2],
        ]
        uv, _ = project(np.array([turned]), EGO2IMG[view])
        column, row = np.round((uv[0] + 0.5) * CAMERA_WIDTH / 160 - 0.5).astype(int)
        assert part[row, column].tolist() == pytest.approx(CLASS_COLORS[view], abs=40)


def test_boxes_below_the_threshold_are_left_out():
    full, less = draw_sample(scene()), draw_sample(scene(), score_threshold=0.45)
    assert (camera_part(full, 0) != camera_part(less, 0)).any()
    none = draw_sample(scene(), score_threshold=0.95)
    captions = np.zeros(none.shape[:2], dtype=bool)
    part = camera_part(none, 4)
    # Only the caption's plate in the corner differs from the plain image.
    captions = part[40:, 130:]
    assert (captions == 100).all()


def test_a_scene_without_map_or_boxes_is_drawn():
    picture = draw_sample(scene(predicted=Boxes(scores=np.zeros(0)), truth_map=None, predicted_map=None))
    assert picture.dtype == np.uint8 and picture.shape[2] == 3
    assert picture[0, 0].tolist() == list(BACKGROUND)


def test_the_map_changes_the_prediction_panel_only_when_predicted():
    labels = np.zeros((60, 80), dtype=np.int64)
    labels[30] = 2
    plain, painted = draw_sample(scene()), draw_sample(scene(predicted_map=labels))
    changed = np.flatnonzero((plain != painted).any(axis=(0, 2)))
    panels_from = MARGIN
    assert panels_from <= changed.min() and changed[changed < panels_from + 600].size > 0
    truth_from = MARGIN + 600 + 4 * GAP
    legend_from = truth_from + 600 + 4 * GAP
    assert not ((changed >= truth_from) & (changed < legend_from)).any()


def test_the_file_is_the_picture(tmp_path: Path):
    save_sample(tmp_path / "pictures" / "a.png", scene())
    stored = cv2.cvtColor(cv2.imread(str(tmp_path / "pictures" / "a.png")), cv2.COLOR_BGR2RGB)
    assert (stored == draw_sample(scene())).all()
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == ["a.png"]


def test_an_unwritable_place_is_a_run_error(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="File exists"):
        save_sample(tmp_path / "file" / "a.png", scene())


def test_without_truth_the_map_stands_alone_beside_the_prediction():
    """Nothing white and dashed, and the second panel shows the predicted map without boxes."""
    labels = np.zeros((60, 80), dtype=np.int64)
    labels[30] = 2
    truth = Boxes(np.array([[5.0, 5.0, 1.0, 2.0, 4.0, 2.0, 0.0, 0.0, 0.0]]), np.array([0]))
    none_known = draw_sample(scene(truth=None, truth_map=None, predicted_map=labels))
    nothing_true = draw_sample(scene(truth_map=labels, predicted_map=labels))
    something_true = draw_sample(scene(truth=truth, truth_map=labels, predicted_map=labels))
    panels = slice(MARGIN, MARGIN + 2 * (600 + 4 * GAP) - 4 * GAP)
    top = none_known.shape[0] - 600 - MARGIN
    assert (none_known[top:-MARGIN, panels] == nothing_true[top:-MARGIN, panels]).all()
    assert (something_true[top:-MARGIN, panels] != nothing_true[top:-MARGIN, panels]).any()
    assert (none_known[HEADER : top - 40] == nothing_true[HEADER : top - 40]).all()
