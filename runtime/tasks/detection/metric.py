"""nuScenes detection scores gathered over batches and processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities.data import dim_zero_cat

from runtime.evaluation.box_table import GlobalDetections, SampleTruth
from runtime.evaluation.detection_protocol import MAX_BOXES_PER_SAMPLE
from runtime.evaluation.global_boxes import detections_to_global
from runtime.evaluation.nuscenes_detection import DetectionScores, evaluate_detections
from runtime.evaluation.nuscenes_results import write_results
from runtime.evaluation.sample_key import sample_key


class NuscenesDetectionMetric(Metric):
    """NDS, mAP, true positive errors and AP of each class over the samples seen.

    Works over processes: every process adds the samples it has, a sample that came twice (samplers pad their
    share) counts once.

    Args:
        name: the decoder whose predictions are judged.
    """

    full_state_update = False
    higher_is_better = True
    rows: list[Tensor] | Tensor
    counts: list[Tensor] | Tensor
    keys: list[Tensor] | Tensor

    def __init__(self, *, name: str = "bev_det") -> None:
        super().__init__()
        self.name = name
        self._truth: dict[int, SampleTruth] = {}
        self.add_state("rows", default=[], dist_reduce_fx="cat")
        self.add_state("counts", default=[], dist_reduce_fx="cat")
        self.add_state("keys", default=[], dist_reduce_fx="cat")

    def set_ground_truth(self, truth: Sequence[SampleTruth]) -> None:
        """The annotations to judge by, see `SampleTruth`; once before `compute`."""
        self._truth = {sample_key(sample["token"]): sample for sample in truth}

    def update(self, predictions: Sequence[Mapping[str, Tensor]], batch: Mapping[str, Any]) -> None:
        """Adds the detections of a batch.

        Args:
            predictions: for each sample `boxes` (N, 9) in the ego frame, `scores` (N,), `labels` (N,).
            batch: has the `token` of each sample.

        Raises:
            ValueError: there are not as many predictions as tokens.
        """
        tokens = batch["token"]
        if len(predictions) != len(tokens):
            raise ValueError(f"{len(predictions)} predictions for {len(tokens)} samples")
        parts = [_rows(sample) for sample in predictions]
        counts = torch.tensor([len(part) for part in parts], dtype=torch.int64)
        keys = torch.tensor([sample_key(token) for token in tokens], dtype=torch.int64)
        for state, value in ((self.rows, torch.cat(parts)), (self.counts, counts), (self.keys, keys)):
            assert isinstance(state, list)
            state.append(value.to(self.device))

    def compute(self) -> dict[str, float]:
        """NDS, mAP, mATE, mASE, mAOE, mAVE, mAAE and `AP/<class>` over the samples seen."""
        return self.scores().summary()

    def scores(self) -> DetectionScores:
        """All scores, of the samples seen by this process unless called while synchronised.

        Raises:
            RuntimeError: `set_ground_truth` was not called.
            ValueError: a sample has no ground truth.
        """
        detections = self.detections()
        truth = [sample for sample in self._truth.values() if sample["token"] in detections]
        return evaluate_detections(truth, detections)

    def detections(self) -> dict[str, GlobalDetections]:
        """Predictions by sample token in the global frame, in the order of the ground truth."""
        if not self._truth:
            raise RuntimeError("`set_ground_truth` must be called before the metric can be computed")
        seen: dict[int, Tensor] = {}
        if len(self.keys):
            keys, counts = dim_zero_cat(self.keys).tolist(), dim_zero_cat(self.counts).tolist()
            for key, rows in zip(keys, dim_zero_cat(self.rows).cpu().split(counts), strict=True):
                seen.setdefault(key, rows)
        if unknown := len(set(seen) - set(self._truth)):
            raise ValueError(f"{unknown} predicted samples have no ground truth: is it of another split?")
        result = {}
        for key, sample in self._truth.items():
            if key in seen:
                rows = seen[key].numpy()
                result[sample["token"]] = detections_to_global(
                    rows[:, :9], rows[:, 9], rows[:, 10], sample["ego2global"]
                )
        return result

    def write_results(self, path: Path) -> None:
        """Writes the samples seen as an official nuScenes result file."""
        write_results(path, self.detections())


def _rows(sample: Mapping[str, Tensor]) -> Tensor:
    """Boxes, scores and labels (N, 11) float64; of more boxes than nuScenes takes, the best."""
    scores = sample["scores"].double()
    rows = torch.cat([sample["boxes"].double(), scores[:, None], sample["labels"].double()[:, None]], dim=1)
    if len(rows) <= MAX_BOXES_PER_SAMPLE:
        return rows
    return rows[scores.argsort(descending=True, stable=True)[:MAX_BOXES_PER_SAMPLE]]
