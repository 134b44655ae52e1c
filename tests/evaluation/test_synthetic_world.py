"""A prediction's whole way on real-format data: pack, ego frame, metric, result file, the stock devkit."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from runtime.data.dataset import NuscenesDataset
from runtime.evaluation.detection_protocol import DISTANCE_THRESHOLDS
from runtime.tasks.detection.metric import NuscenesDetectionMetric


@pytest.fixture
def val_set(packed_world: Any) -> NuscenesDataset:
    return NuscenesDataset(
        data_path=str(packed_world.packs / "v1.0-trainval" / "val_lmdb"),
        transforms=[],
        bev_size=(51.2, 51.2, 0.8),
        map_size=(15.0, 30.0, 0.5),
    )


def noisy_truth(dataset: NuscenesDataset, noise: float) -> NuscenesDetectionMetric:
    """The metric of a model that sees the labels, moved by `noise` metres and with some scores equal."""
    random = torch.Generator().manual_seed(0)
    metric = NuscenesDetectionMetric()
    metric.set_ground_truth(dataset.ground_truth())  # type: ignore[arg-type]
    for index, sample in enumerate(dataset.ground_truth()):
        boxes, labels = (torch.as_tensor(value) for value in dataset.boxes_ego(index))
        boxes = boxes.float().nan_to_num()
        boxes[:, :3] += noise * torch.randn(len(boxes), 3, generator=random)
        scores = (torch.rand(len(boxes), generator=random) * 8).round() / 8
        prediction = {"boxes": boxes, "scores": scores, "labels": labels.long()}
        metric.update([prediction], {"token": [sample["token"]]})
    return metric


def test_the_labels_are_their_own_best_prediction(val_set: NuscenesDataset) -> None:
    """Truth goes global -> ego when packed and labelled, ego -> global in the metric: nothing may be lost."""
    scores = noisy_truth(val_set, 0.0).scores()
    assert scores.class_ap["car"] > 0.9
    assert scores.errors["car"]["trans_err"] < 1e-4
    assert scores.errors["car"]["orient_err"] < 1e-3
    assert scores.errors["car"]["scale_err"] < 1e-5
    assert scores.errors["car"]["vel_err"] < 1e-2


def test_equals_the_stock_devkit(val_set: NuscenesDataset, packed_world: Any, tmp_path: Path) -> None:
    nuscenes = pytest.importorskip("nuscenes")
    from nuscenes.eval.common.config import config_factory
    from nuscenes.eval.detection.evaluate import DetectionEval

    metric = noisy_truth(val_set, 0.8)
    metric.write_results(tmp_path / "results.json")
    tables = nuscenes.NuScenes(version="v1.0-trainval", dataroot=str(packed_world.source), verbose=False)
    config = config_factory("detection_cvpr_2019")
    judge = DetectionEval(tables, config, str(tmp_path / "results.json"), "val", str(tmp_path), verbose=False)
    theirs, _ = judge.evaluate()
    ours = metric.scores()
    assert ours.nds == theirs.nd_score > 0
    assert ours.mean_ap == theirs.mean_ap > 0
    assert ours.mean_errors == theirs.tp_errors
    for name, by_threshold in ours.average_precision.items():
        for threshold in DISTANCE_THRESHOLDS:
            assert by_threshold[threshold] == theirs.get_label_ap(name, threshold), (name, threshold)
        for error, value in ours.errors[name].items():
            expected = theirs.get_label_tp(name, error)
            assert value == expected or (math.isnan(value) and math.isnan(expected)), (name, error)
