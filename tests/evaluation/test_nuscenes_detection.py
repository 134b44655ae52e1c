"""Detection scores: equal to the official evaluation's in every digit, and right on cases known by hand."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runtime.evaluation.box_table import GlobalDetections, SampleTruth
from runtime.evaluation.detection_protocol import CLASS_RANGE, DISTANCE_THRESHOLDS, ERROR_NAMES
from runtime.evaluation.nuscenes_detection import DetectionScores, evaluate_detections
from runtime.evaluation.nuscenes_results import write_results
from runtime.geometry.class_names import DETECTION_CLASSES

World = tuple[list[SampleTruth], dict[str, GlobalDetections]]
FIELDS = ("translation", "size", "rotation", "velocity", "label", "score", "attribute")


class FakeTables:
    """As much of the devkit's `NuScenes` as its filters ask for."""

    def __init__(self, truth: list[SampleTruth]) -> None:
        self.tables: dict[tuple[str, str], dict[str, Any]] = {}
        for sample in truth:
            token, racks = sample["token"], sample["bike_racks"]
            names = [f"{token}-rack-{i}" for i in range(len(racks["translation"]))]
            for i, name in enumerate(names):
                geometry = {field: np.asarray(values)[i].tolist() for field, values in racks.items()}
                self.tables["sample_annotation", name] = {
                    "category_name": "static_object.bicycle_rack",
                    **geometry,
                }
            self.tables["sample", token] = {"data": {"LIDAR_TOP": token}, "anns": names}
            self.tables["sample_data", token] = {"ego_pose_token": token}
            pose = np.asarray(sample["ego2global"])[:3, 3]
            self.tables["ego_pose", token] = {"translation": pose.tolist()}

    def get(self, table: str, token: str) -> dict[str, Any]:
        return self.tables[table, token]


def official(truth: list[SampleTruth], result_file: Path) -> dict[str, Any]:
    """What the devkit says of a result file, by its own loaders, filters and arithmetic."""
    pytest.importorskip("nuscenes")
    from nuscenes.eval.common.config import config_factory
    from nuscenes.eval.common.data_classes import EvalBoxes
    from nuscenes.eval.common.loaders import add_center_dist, filter_eval_boxes, load_prediction
    from nuscenes.eval.detection.data_classes import DetectionBox
    from nuscenes.eval.detection.evaluate import DetectionEval

    config = config_factory("detection_cvpr_2019")
    tables = FakeTables(truth)
    annotated = EvalBoxes()
    for sample in truth:
        annotated.add_boxes(
            sample["token"],
            [
                DetectionBox(
                    sample_token=sample["token"],
                    translation=sample["translation"][i].tolist(),
                    size=sample["size"][i].tolist(),
                    rotation=sample["rotation"][i].tolist(),
                    velocity=sample["velocity"][i].tolist(),
                    num_pts=int(sample["num_lidar_pts"][i] + sample["num_radar_pts"][i]),
                    detection_name=DETECTION_CLASSES[sample["label"][i]],
                    attribute_name=sample["attribute"][i],
                )
                for i in range(len(sample["label"]))
            ],
        )
    predicted, _ = load_prediction(str(result_file), config.max_boxes_per_sample, DetectionBox)
    judge = DetectionEval.__new__(DetectionEval)
    judge.cfg, judge.verbose = config, False
    judge.gt_boxes, judge.pred_boxes = (
        filter_eval_boxes(tables, add_center_dist(tables, boxes), config.class_range)
        for boxes in (annotated, predicted)
    )
    metrics, _ = judge.evaluate()
    return json.loads(json.dumps(metrics.serialize()))


def assert_same(ours: DetectionScores, theirs: dict[str, Any]) -> None:
    """Every number, to the last bit."""
    for name in CLASS_RANGE:
        for threshold in DISTANCE_THRESHOLDS:
            expected = theirs["label_aps"][name][str(threshold)]
            assert ours.average_precision[name][threshold] == expected, (name, threshold)
        for error in ERROR_NAMES:
            value, expected = ours.errors[name][error], theirs["label_tp_errors"][name][error]
            assert value == expected or (math.isnan(value) and math.isnan(expected)), (name, error)
    assert ours.class_ap == theirs["mean_dist_aps"]
    assert ours.mean_errors == theirs["tp_errors"]
    assert ours.mean_ap == theirs["mean_ap"]
    assert ours.nds == theirs["nd_score"]


def without(detections: GlobalDetections, labels: set[int]) -> GlobalDetections:
    keep = ~np.isin(detections.label, list(labels))
    return GlobalDetections(**{field: getattr(detections, field)[keep] for field in FIELDS})


@pytest.mark.parametrize(("seed", "noise"), [(0, 0.7), (1, 0.2), (2, 2.0), (3, 0.05), (4, 0.7)])
def test_equals_the_devkit(make_world: Callable[..., World], tmp_path: Path, seed: int, noise: float) -> None:
    truth, predictions = make_world(seed, noise=noise)
    write_results(tmp_path / "results.json", predictions)
    ours = evaluate_detections(truth, predictions)
    assert_same(ours, official(truth, tmp_path / "results.json"))
    assert ours.nds > 0.1, "nothing matched: the comparison would say nothing"
    assert ours.num_samples == len(truth)


def test_equals_the_devkit_when_classes_have_no_predictions_or_no_truth(
    make_world: Callable[..., World], tmp_path: Path
) -> None:
    truth, predictions = make_world(7, samples=6)
    predictions = {token: without(boxes, {0, 5, 8}) for token, boxes in predictions.items()}
    predictions[truth[2]["token"]] = without(predictions[truth[2]["token"]], set(range(10)))
    for sample in truth:
        sample["num_lidar_pts"][np.isin(sample["label"], [1, 9])] = 0
        sample["num_radar_pts"][np.isin(sample["label"], [1, 9])] = 0
    write_results(tmp_path / "results.json", predictions)
    ours = evaluate_detections(truth, predictions)
    assert_same(ours, official(truth, tmp_path / "results.json"))
    assert ours.class_ap["car"] == ours.class_ap["truck"] == 0.0
    assert ours.mean_ap > 0


def test_equals_the_devkit_when_every_score_is_the_same(
    make_world: Callable[..., World], tmp_path: Path
) -> None:
    truth, predictions = make_world(8, samples=5)
    for boxes in predictions.values():
        boxes.score[:] = 0.3
    write_results(tmp_path / "results.json", predictions)
    ours = evaluate_detections(truth, predictions)
    assert_same(ours, official(truth, tmp_path / "results.json"))
    backwards = {token: _reversed(boxes) for token, boxes in predictions.items()}
    assert evaluate_detections(truth, backwards).nds != ours.nds, "the order of equal scores must matter here"


def test_equals_the_devkit_on_blocks_of_pairs(
    make_world: Callable[..., World], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth, predictions = make_world(9, samples=4)
    whole = evaluate_detections(truth, predictions)
    monkeypatch.setattr("runtime.evaluation.matching._BLOCK", 7)
    assert repr(evaluate_detections(truth, predictions)) == repr(whole)


def test_no_predictions_at_all_score_zero(make_world: Callable[..., World]) -> None:
    """The devkit crashes here; a model that has learnt nothing yet must not."""
    truth, predictions = make_world(0, samples=2)
    empty = {token: without(boxes, set(range(10))) for token, boxes in predictions.items()}
    scores = evaluate_detections(truth, empty)
    assert scores.nds == 0.0
    assert scores.mean_ap == 0.0
    assert scores.mean_errors == dict.fromkeys(ERROR_NAMES, 1.0)


def test_no_truth_at_all_scores_zero(make_world: Callable[..., World]) -> None:
    truth, predictions = make_world(0, samples=2)
    for sample in truth:
        for field in ("translation", "size", "rotation", "velocity", "label", "attribute"):
            sample[field] = sample[field][:0]  # type: ignore[literal-required]
        sample["num_lidar_pts"] = sample["num_radar_pts"] = np.zeros(0, dtype=np.int64)
    assert evaluate_detections(truth, predictions).summary()["NDS"] == 0.0


def test_no_samples_score_zero() -> None:
    assert evaluate_detections([], {}).summary()["NDS"] == 0.0


def test_perfect_predictions_score_one(make_world: Callable[..., World]) -> None:
    """Errors vanish; AP is 1 for every class; the attribute comes from the truth itself."""
    truth, _ = make_world(11, samples=30)
    predictions = {}
    for sample in truth:
        sample["velocity"] = np.nan_to_num(sample["velocity"])
        sample["num_lidar_pts"] = np.ones(len(sample["label"]), dtype=np.int64)
        predictions[sample["token"]] = GlobalDetections(
            **{field: np.asarray(sample[field]) for field in ("translation", "size", "rotation", "velocity")},  # type: ignore[literal-required]
            label=sample["label"],
            score=np.full(len(sample["label"]), 0.9),
            attribute=np.array(sample["attribute"], dtype=object),
        )
    scores = evaluate_detections(truth, predictions)
    assert scores.mean_ap == pytest.approx(1.0)
    assert scores.nds == pytest.approx(1.0)
    assert set(scores.summary()) == {
        *("NDS", "mAP", "mATE", "mASE", "mAOE", "mAVE", "mAAE"),
        *(f"AP/{name}" for name in DETECTION_CLASSES),
    }


def test_one_car_a_metre_and_a_half_off() -> None:
    """Matches at 2 m and 4 m only: AP 1, 1, 0, 0; the errors are those of the one pair."""
    still = np.array([[1.0, 0.0, 0.0, 0.0]])
    turned = np.array([[math.cos(0.1), 0.0, 0.0, math.sin(0.1)]])
    truth: SampleTruth = {
        "token": "a",
        "ego2global": np.eye(4),
        "translation": np.array([[10.0, 0.0, 1.0]]),
        "size": np.array([[2.0, 4.0, 1.0]]),
        "rotation": still,
        "velocity": np.array([[3.0, 0.0]]),
        "label": np.array([0]),
        "num_lidar_pts": np.array([5]),
        "num_radar_pts": np.array([0]),
        "attribute": ["vehicle.moving"],
        "bike_racks": {"translation": [], "size": [], "rotation": []},
    }
    predicted = GlobalDetections(
        translation=np.array([[11.5, 0.0, 0.0]]),
        size=np.array([[2.0, 4.0, 2.0]]),
        rotation=turned,
        velocity=np.array([[3.0, 0.5]]),
        label=np.array([0]),
        score=np.array([0.4]),
        attribute=np.array(["vehicle.parked"], dtype=object),
    )
    scores = evaluate_detections([truth], {"a": predicted})
    assert scores.average_precision["car"] == pytest.approx({0.5: 0.0, 1.0: 0.0, 2.0: 1.0, 4.0: 1.0})
    assert scores.errors["car"] == pytest.approx(
        {"trans_err": 1.5, "scale_err": 0.5, "orient_err": 0.2, "vel_err": 0.5, "attr_err": 1.0}
    )
    assert scores.mean_ap == pytest.approx(0.05)


def test_samples_must_agree(make_world: Callable[..., World]) -> None:
    truth, predictions = make_world(0, samples=2)
    with pytest.raises(ValueError, match="no predictions for 1 of 2 samples, the first is sample-1"):
        evaluate_detections(truth, {"sample-0": predictions["sample-0"]})
    with pytest.raises(
        ValueError, match="predictions for 1 samples without ground truth, the first is sample-1"
    ):
        evaluate_detections(truth[:1], predictions)
    with pytest.raises(ValueError, match="stands twice"):
        evaluate_detections([truth[0], truth[0]], predictions)


def _reversed(boxes: GlobalDetections) -> GlobalDetections:
    return GlobalDetections(**{field: getattr(boxes, field)[::-1] for field in FIELDS})
