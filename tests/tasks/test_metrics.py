"""The metrics of both tasks: however samples are spread over batches and processes, results are the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from runtime.evaluation.box_table import SampleTruth
from runtime.geometry.frames import planar
from runtime.tasks.detection.metric import NuscenesDetectionMetric
from runtime.tasks.detection.positives import positives_per_rank
from runtime.tasks.segmentation.metric import SegmentationIoU

Sample = dict[str, Any]


def make_samples(count: int) -> tuple[list[SampleTruth], list[Sample]]:
    """Truth and, for each sample, token, noisy detections in the ego frame and label maps. One is empty."""
    rng = np.random.default_rng(5)
    truth: list[SampleTruth] = []
    samples = []
    for index in range(count):
        found = 0 if index == 1 else 25
        ego = np.zeros((25, 9))
        ego[:, :2] = rng.uniform(-25, 25, (25, 2))
        ego[:, 3:6] = rng.uniform(1, 4, (25, 3))
        ego[:, 6] = rng.uniform(-3, 3, 25)
        label = rng.integers(0, 10, 25)
        x, y, turn = 100.0 * index, 50.0, 0.4 * index
        pose = planar(x, y, turn)
        truth.append(
            {
                "token": f"token-{index}",
                "ego2global": pose,
                "bike_racks": {"translation": [], "size": [], "rotation": []},
                "translation": ego[:, :3] @ pose[:3, :3].T + pose[:3, 3],
                "size": ego[:, 3:6],
                "rotation": np.stack(
                    [np.cos((ego[:, 6] + turn) / 2), *np.zeros((2, 25)), np.sin((ego[:, 6] + turn) / 2)],
                    axis=1,
                ),
                "velocity": np.zeros((25, 2)),
                "label": label,
                "num_lidar_pts": np.ones(25, dtype=np.int64),
                "num_radar_pts": np.zeros(25, dtype=np.int64),
                "attribute": [""] * 25,
            }
        )
        noisy = ego + rng.normal(0, 0.4, (25, 9)) * [1, 1, 1, 0, 0, 0, 0.2, 1, 1]
        samples.append(
            {
                "token": f"token-{index}",
                "boxes": torch.from_numpy(noisy[:found]).float(),
                "scores": torch.from_numpy(rng.random(found)).float(),
                "labels": torch.from_numpy(label[:found]),
                "found": torch.from_numpy(rng.integers(0, 4, (6, 8))),
                "gt_seg": torch.from_numpy(rng.integers(-1, 4, (6, 8))),
            }
        )
    return truth, samples


def feed(detection: NuscenesDetectionMetric, segmentation: SegmentationIoU, samples: list[Sample]) -> None:
    """One batch."""
    batch = {
        "token": [sample["token"] for sample in samples],
        "gt_seg": torch.stack([sample["gt_seg"] for sample in samples]),
    }
    detection.update(samples, batch)
    segmentation.update(torch.stack([sample["found"] for sample in samples]), batch)


def whole_pass(count: int) -> tuple[dict[str, float], dict[str, float]]:
    """Results of one batch with every sample."""
    truth, samples = make_samples(count)
    detection, segmentation = NuscenesDetectionMetric(), SegmentationIoU()
    detection.set_ground_truth(truth)
    feed(detection, segmentation, samples)
    return detection.compute(), segmentation.compute()


def test_results_have_their_names_and_make_sense() -> None:
    scores, iou = whole_pass(6)
    assert list(scores)[:7] == ["NDS", "mAP", "mATE", "mASE", "mAOE", "mAVE", "mAAE"]
    assert len([key for key in scores if key.startswith("AP/")]) == 10
    assert scores["mAP"] > 0.4
    # Sizes are exact, positions are off by 0.4 m in two axes: 0.4 * sqrt(pi / 2) on average.
    assert scores["mASE"] == pytest.approx(0.0, abs=1e-6)
    assert scores["mATE"] == pytest.approx(0.5, abs=0.15)
    assert list(iou) == [
        *("IoU/others", "IoU/divider", "IoU/ped_crossing", "IoU/boundary"),
        *("mIoU", "mIoU_all"),
    ]
    assert iou["mIoU"] == pytest.approx(1 / 7, abs=0.05)  # two independent draws among four


def test_of_more_boxes_than_nuscenes_takes_the_best_are_judged() -> None:
    truth, samples = make_samples(3)
    detection = NuscenesDetectionMetric()
    detection.set_ground_truth(truth)
    worse = {"boxes": torch.ones(490, 9), "scores": torch.zeros(490), "labels": torch.zeros(490).long()}
    crowded = {key: torch.cat([value, samples[0][key]]) for key, value in worse.items()}
    detection.update([crowded, *samples[1:]], {"token": [sample["token"] for sample in samples]})
    boxes = detection.detections()["token-0"]
    assert len(boxes) == 500
    assert sorted(boxes.score[boxes.score > 0]) == sorted(samples[0]["scores"].double().tolist())
    assert detection.compute()["mAP"] > 0


def test_batches_order_and_repeats_do_not_matter() -> None:
    truth, samples = make_samples(6)
    detection, segmentation = NuscenesDetectionMetric(), SegmentationIoU()
    detection.set_ground_truth(truth)
    for part in ([3, 5], [0], [1, 2, 4], [0, 3]):
        feed(detection, segmentation, [samples[index] for index in part])
    assert (detection.compute(), segmentation.compute()) == whole_pass(6)
    detection.reset()
    segmentation.reset()
    feed(detection, segmentation, samples[:2])
    assert detection.scores().num_samples == 2
    assert detection.compute() != whole_pass(6)[0]


def test_only_samples_seen_are_judged() -> None:
    truth, samples = make_samples(4)
    detection, segmentation = NuscenesDetectionMetric(), SegmentationIoU()
    detection.set_ground_truth(truth)
    feed(detection, segmentation, samples[:3])
    assert detection.compute() == whole_pass(3)[0]
    assert list(detection.detections()) == ["token-0", "token-1", "token-2"]


def test_result_file_of_the_samples_seen(tmp_path: Path) -> None:
    truth, samples = make_samples(3)
    detection, segmentation = NuscenesDetectionMetric(), SegmentationIoU()
    detection.set_ground_truth(truth)
    feed(detection, segmentation, samples)
    detection.write_results(tmp_path / "results.json")
    results = json.loads((tmp_path / "results.json").read_text())["results"]
    assert {token: len(boxes) for token, boxes in results.items()} == {
        "token-0": 25,
        "token-1": 0,
        "token-2": 25,
    }


def test_no_batches_at_all() -> None:
    truth, _ = make_samples(1)
    detection = NuscenesDetectionMetric()
    detection.set_ground_truth(truth)
    with pytest.warns(UserWarning, match="compute"):
        assert detection.compute()["NDS"] == 0.0


def test_ground_truth_is_needed_and_must_fit() -> None:
    truth, samples = make_samples(2)
    detection, segmentation = NuscenesDetectionMetric(), SegmentationIoU()
    feed(detection, segmentation, samples)
    with pytest.raises(RuntimeError, match="`set_ground_truth` must be called"):
        detection.compute()
    detection.set_ground_truth(truth[:1])
    with pytest.raises(ValueError, match="1 predicted samples have no ground truth"):
        detection.compute()
    with pytest.raises(ValueError, match="1 predictions for 2 samples"):
        detection.update(samples[:1], {"token": ["a", "b"]})


def _worker(rank: int, port_file: str, folder: str) -> None:
    """A process with its share of the samples; the second share is padded with sample 0, as samplers do."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{port_file}", rank=rank, world_size=2)
    truth, samples = make_samples(5)
    detection, segmentation = NuscenesDetectionMetric(), SegmentationIoU()
    detection.set_ground_truth(truth)
    shares = [[0, 2], [4]], [[1], [3, 0]]
    for part in shares[rank]:
        feed(detection, segmentation, [samples[index] for index in part])
    positives = positives_per_rank(torch.tensor([3.0 * rank, 0.0, 4.0 + rank]))
    again = positives_per_rank(positives)
    result = {
        "scores": detection.compute(),
        "iou": segmentation.compute(),
        "positives": positives.tolist(),
        "again": again.tolist(),
    }
    Path(folder, f"{rank}.json").write_text(json.dumps(result))
    dist.destroy_process_group()


def test_two_processes_agree_with_one(tmp_path: Path) -> None:
    mp.spawn(_worker, args=(str(tmp_path / "meeting"), str(tmp_path)), nprocs=2)
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))
    assert first == second
    scores, iou = whole_pass(5)
    assert first["scores"] == scores
    assert first["iou"] == iou
    # Mean over the processes, and never less than one object over both together.
    assert first["positives"] == [1.5, 0.5, 4.5]
    assert first["again"] == first["positives"]
