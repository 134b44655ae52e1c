"""Boxes -> targets -> heads that answer perfectly -> decoder: the boxes come back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from runtime.evaluation.global_boxes import detections_to_global
from runtime.geometry.class_names import DETECTION_CLASSES
from runtime.tasks.detection.decoder import CenterPoint3dDecoder
from runtime.tasks.detection.target import CenterPoint3dTarget

BRANCHES = {"reg": (0, 2), "height": (2, 3), "dim": (3, 6), "rot": (6, 8), "vel": (8, 10)}
HEIGHT, WIDTH = 32, 40


def perfect_answers(targets: list[dict[str, Tensor]]) -> list[dict[str, Tensor]]:
    """What a head would say whose losses are zero; nonsense where nothing is asked."""
    answers = []
    for target in targets:
        heatmap = target["heatmap"]
        batch, _, height, width = heatmap.shape
        answer = {"heatmap": heatmap.clamp(1e-4, 1 - 1e-4).logit()}
        for name, (start, end) in BRANCHES.items():
            values = torch.full((batch, end - start, height * width), 77.0)
            for sample in range(batch):
                mask = target["mask"][sample]
                cells = target["ind"][sample, mask]
                values[sample][:, cells] = target["anno_box"][sample, mask, start:end].T
            answer[name] = values.view(batch, end - start, height, width)
        answers.append(answer)
    return answers


def scattered_boxes(seed: int, count: int) -> tuple[Tensor, Tensor]:
    """Boxes in cells at least five apart, so that neither peaks nor suppression can merge them."""
    rng = np.random.default_rng(seed)
    cells = [(row, column) for row in range(1, HEIGHT - 1, 5) for column in range(1, WIDTH - 1, 5)]
    rows, columns = np.array(cells)[rng.choice(len(cells), count, replace=False)].T
    boxes = np.empty((count, 9))
    boxes[:, 0] = (columns + rng.uniform(0.01, 0.99, count)) * 0.8 - 16.0
    boxes[:, 1] = (rows + rng.uniform(0.01, 0.99, count)) * 0.8 - 12.8
    boxes[:, 2] = rng.uniform(-2, 3, count)
    boxes[:, 3:6] = rng.uniform(0.3, 2.0, (count, 3))
    boxes[:, 6] = rng.uniform(-np.pi, np.pi, count)
    boxes[:, 7:9] = rng.normal(0, 5, (count, 2))
    return torch.from_numpy(boxes).float(), torch.from_numpy(rng.integers(0, 10, count))


def by_place(boxes: Tensor, labels: Tensor) -> Tensor:
    """Boxes with their label in one table, in an order that does not depend on scores."""
    table = torch.cat([boxes, labels[:, None].float()], dim=1)
    return table[np.lexsort((table[:, 1].round(decimals=2), table[:, 0].round(decimals=2)))]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(0, 40), out_size_factor=st.sampled_from([1, 2]))
def test_boxes_come_back(seed: int, count: int, out_size_factor: int) -> None:
    from_arguments: dict[str, Any] = {
        "class_names": DETECTION_CLASSES,
        "tasks": [list(DETECTION_CLASSES[:3]), list(DETECTION_CLASSES[3:])],
        "bev_size": (12.8 * out_size_factor, 16.0 * out_size_factor, 0.8),
        "out_size_factor": out_size_factor,
    }
    target = CenterPoint3dTarget(**from_arguments, bbox_weight=[1.0] * 10)
    decoder = CenterPoint3dDecoder(
        **from_arguments, nms_type=["rotate", "circle"], min_radius=[4, 4], nms_threshold=[0.2, 0.2]
    )
    samples = [scattered_boxes(seed, count), scattered_boxes(seed + 1, 5)]
    for boxes, _ in samples:
        boxes[:, :2] *= out_size_factor
    targets = target([boxes for boxes, _ in samples], [labels for _, labels in samples], (HEIGHT, WIDTH))
    detections = decoder(perfect_answers(targets))
    assert len(detections) == 2
    for found, (boxes, labels) in zip(detections, samples, strict=True):
        assert len(found["boxes"]) == len(boxes)
        assert (found["scores"] > 0.99).all()
        torch.testing.assert_close(
            by_place(found["boxes"], found["labels"]), by_place(boxes, labels), atol=2e-4, rtol=1e-4
        )


@pytest.fixture
def silent() -> list[dict[str, Tensor]]:
    """Answers of six tasks that see nothing."""
    sizes = {"heatmap": 1, "reg": 2, "height": 1, "dim": 3, "rot": 2, "vel": 2}
    answers = [{name: torch.zeros(1, c, HEIGHT, WIDTH) for name, c in sizes.items()} for _ in range(6)]
    for task, answer in enumerate(answers):
        answer["heatmap"] = torch.full((1, 1 if task in (0, 3) else 2, HEIGHT, WIDTH), -9.0)
        answer["rot"][:, 1] = 1.0
    return answers


def test_no_peaks_no_boxes(decoder_arguments: dict[str, Any], silent: list[dict[str, Tensor]]) -> None:
    found = CenterPoint3dDecoder(**decoder_arguments)(silent)[0]
    assert found["boxes"].shape == (0, 9)
    assert found["scores"].shape == found["labels"].shape == (0,)
    assert found["labels"].dtype == torch.int64


def test_only_local_maxima_count(decoder_arguments: dict[str, Any], silent: list[dict[str, Tensor]]) -> None:
    silent[0]["dim"] -= 3  # tiny boxes: suppression by overlap has nothing to do
    for column, logit in ((10, 1.0), (11, 2.0), (12, 1.5), (20, 0.5)):
        silent[0]["heatmap"][0, 0, 5, column] = logit
    found = CenterPoint3dDecoder(**decoder_arguments)(silent)[0]
    assert found["scores"].tolist() == pytest.approx([1 / (1 + np.exp(-2.0)), 1 / (1 + np.exp(-0.5))])
    assert found["boxes"][:, 0].tolist() == pytest.approx([11.5 * 0.8 - 16, 20.5 * 0.8 - 16], abs=1e-5)
    assert found["boxes"][:, 1].tolist() == pytest.approx([5.5 * 0.8 - 12.8] * 2, abs=1e-5)
    every = CenterPoint3dDecoder(**decoder_arguments, use_max_pool=False)(silent)[0]
    assert len(every["boxes"]) == 4


def test_suppression_follows_peaks_by_overlap_and_by_distance(
    decoder_arguments: dict[str, Any], silent: list[dict[str, Tensor]]
) -> None:
    for task in (0, 3):  # rotate at IoU 0.2, circle at 1 square metre
        silent[task]["heatmap"][0, 0, 5, 10] = 2.0
        silent[task]["heatmap"][0, 0, 5, 12] = 1.0  # 1.6 m further
        silent[task]["dim"] += np.log(4.0)  # 4 m cubes, IoU (4 - 1.6) / (4 + 1.6) = 0.43
    labels = CenterPoint3dDecoder(**decoder_arguments)(silent)[0]["labels"].tolist()
    assert sorted(labels) == [0, 5, 5]
    decoder_arguments["nms_threshold"] = [0.45, *decoder_arguments["nms_threshold"][1:]]
    decoder_arguments["min_radius"] = [4, 12, 10, 2.57, 0.85, 0.175]
    labels = CenterPoint3dDecoder(**decoder_arguments)(silent)[0]["labels"].tolist()
    assert sorted(labels) == [0, 0, 5]


def test_labels_scores_and_limits(decoder_arguments: dict[str, Any], silent: list[dict[str, Tensor]]) -> None:
    silent[1]["heatmap"][0, 1, 5, 5] = 3.0  # construction_vehicle
    silent[5]["heatmap"][0, 0, 20, 20] = 1.0  # pedestrian
    silent[5]["heatmap"][0, 1, 25, 25] = 2.0  # traffic_cone
    silent[5]["heatmap"][0, 1, 15, 25] = -1.0  # score 0.27
    found = CenterPoint3dDecoder(**decoder_arguments, score_threshold=0.3)(silent)[0]
    assert found["labels"].tolist() == [2, 9, 8]
    assert found["scores"].tolist() == sorted(found["scores"].tolist(), reverse=True)
    best = CenterPoint3dDecoder(**decoder_arguments, max_num=2)(silent)[0]
    assert best["labels"].tolist() == [2, 9]


def test_centres_in_cells(decoder_arguments: dict[str, Any], silent: list[dict[str, Tensor]]) -> None:
    silent[0]["heatmap"][0, 0, 5, 10] = 2.0
    silent[0]["reg"][0, :, 5, 10] = torch.tensor([0.25, -0.5])
    found = CenterPoint3dDecoder(**decoder_arguments, decode_to_ego=False)(silent)[0]
    assert found["boxes"][0, :2].tolist() == pytest.approx([10.25, 4.5], abs=1e-5)


def test_wild_answers_stay_finite(decoder_arguments: dict[str, Any], silent: list[dict[str, Tensor]]) -> None:
    silent[0]["heatmap"][0, 0, 5, 10] = 2.0
    silent[0]["dim"] += 1000.0
    assert torch.isfinite(CenterPoint3dDecoder(**decoder_arguments)(silent)[0]["boxes"]).all()


@pytest.mark.parametrize("answer", [-3.0, 0.0, 1e9])
def test_plain_sizes_stay_above_zero_and_finite(
    decoder_arguments: dict[str, Any], silent: list[dict[str, Tensor]], answer: float
) -> None:
    silent[0]["heatmap"][0, 0, 5, 10] = 2.0
    silent[0]["dim"].fill_(answer)
    found = CenterPoint3dDecoder(**decoder_arguments, norm_bbox=False)(silent)[0]
    # What the nuScenes format refuses.
    detections_to_global(found["boxes"], found["scores"], found["labels"], np.eye(4))
    assert (found["boxes"][:, 3:6] < 1100).all()


def test_velocity_branch_may_be_missing(
    decoder_arguments: dict[str, Any], silent: list[dict[str, Tensor]]
) -> None:
    silent[0]["heatmap"][0, 0, 5, 10] = 2.0
    for answer in silent:
        del answer["vel"]
    assert CenterPoint3dDecoder(**decoder_arguments)(silent)[0]["boxes"][0, 7:].tolist() == [0, 0]


def test_arguments_are_checked(decoder_arguments: dict[str, Any], silent: list[dict[str, Tensor]]) -> None:
    with pytest.raises(ValueError, match="`min_radius` has 2 values for 6 tasks"):
        CenterPoint3dDecoder(**{**decoder_arguments, "min_radius": [1, 2]})
    with pytest.raises(ValueError, match="nms_type is 'soft', expected 'rotate' or 'circle'"):
        CenterPoint3dDecoder(**{**decoder_arguments, "nms_type": ["soft"] * 6})
    with pytest.raises(ValueError, match="max_pool_kernel is 2, expected an odd number"):
        CenterPoint3dDecoder(**decoder_arguments, max_pool_kernel=2)
    with pytest.raises(ValueError, match="head answers for 5 tasks, expected 6"):
        CenterPoint3dDecoder(**decoder_arguments)(silent[:5])
