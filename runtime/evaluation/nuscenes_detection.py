"""The nuScenes detection score from ground truth and predictions held as arrays.

Caesar et al., "nuScenes: A multimodal dataset for autonomous driving", 2020, section 3.1. On the same boxes
every number is equal to the official evaluation's to the last digit; the order of operations follows from
that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runtime.evaluation.box_filter import counted_boxes
from runtime.evaluation.box_table import BoxTable, GlobalDetections, SampleTruth
from runtime.evaluation.detection_protocol import (
    CLASS_RANGE,
    DISTANCE_THRESHOLDS,
    ERROR_NAMES,
    ERROR_THRESHOLD,
    ERRORS_WITHOUT_MEANING,
    HALF_TURN_CLASSES,
    MAX_BOXES_PER_SAMPLE,
    MEAN_AP_WEIGHT,
    MIN_PRECISION,
    MIN_RECALL,
    RECALL_STEPS,
)
from runtime.evaluation.match_errors import match_errors
from runtime.evaluation.matching import by_score, candidate_pairs, greedy_matches
from runtime.geometry.class_names import DETECTION_CLASSES

Array = NDArray[np.float64]

_RECALLS = np.linspace(0, 1, RECALL_STEPS)
_FIRST_STEP = round(100 * MIN_RECALL) + 1


@dataclass(frozen=True)
class DetectionScores:
    """Scores of one evaluation.

    Args:
        average_precision: by class, then by distance threshold in metres.
        errors: by class, then by official error name; NaN where the error has no meaning for the class.
        num_samples: how many samples were judged.
    """

    average_precision: dict[str, dict[float, float]]
    errors: dict[str, dict[str, float]]
    num_samples: int

    @property
    def class_ap(self) -> dict[str, float]:
        """AP of each class, averaged over the distance thresholds."""
        return {name: float(np.mean(list(by.values()))) for name, by in self.average_precision.items()}

    @property
    def mean_ap(self) -> float:
        """mAP, averaged over classes."""
        return float(np.mean(list(self.class_ap.values())))

    @property
    def mean_errors(self) -> dict[str, float]:
        """Each error averaged over the classes that have it, by official name."""
        return {
            error: float(np.nanmean([self.errors[name][error] for name in CLASS_RANGE]))
            for error in ERROR_NAMES
        }

    @property
    def nds(self) -> float:
        """The nuScenes detection score: mAP five times, and each error as max(0, 1 - error) once."""
        gains = [max(0.0, 1.0 - error) for error in self.mean_errors.values()]
        return float(MEAN_AP_WEIGHT * self.mean_ap + np.sum(gains)) / float(MEAN_AP_WEIGHT + len(gains))

    def summary(self) -> dict[str, float]:
        """NDS, mAP, the five mean errors (mATE ...) and `AP/<class>`."""
        errors = {ERROR_NAMES[error]: value for error, value in self.mean_errors.items()}
        classes = {f"AP/{name}": value for name, value in self.class_ap.items()}
        return {"NDS": self.nds, "mAP": self.mean_ap, **errors, **classes}


def evaluate_detections(
    truth: Sequence[SampleTruth], predictions: Mapping[str, GlobalDetections]
) -> DetectionScores:
    """Judges the predictions of every sample of `truth`.

    Without any prediction or annotated box AP is 0 and every error 1.

    Args:
        truth: the samples; of predictions with equal scores that of the later sample goes first.
        predictions: for each sample token its boxes.

    Raises:
        ValueError: the tokens differ, a token stands twice, or a sample has more than 500 boxes.
    """
    tokens = [sample["token"] for sample in truth]
    _check_samples(tokens, predictions)
    annotated = counted_boxes(BoxTable.of_truth(truth), truth)
    predicted = counted_boxes(BoxTable.of_detections([predictions[token] for token in tokens]), truth)
    precision: dict[str, dict[float, float]] = {}
    errors: dict[str, dict[str, float]] = {}
    for name in CLASS_RANGE:
        label = DETECTION_CLASSES.index(name)
        precision[name], errors[name] = _judge_class(
            name, annotated.select(annotated.label == label), predicted.select(predicted.label == label)
        )
    return DetectionScores(precision, errors, len(tokens))


def _check_samples(tokens: Sequence[str], predictions: Mapping[str, GlobalDetections]) -> None:
    if len(set(tokens)) != len(tokens):
        raise ValueError("a sample token stands twice in the ground truth")
    if missing := sorted(set(tokens) - set(predictions)):
        raise ValueError(
            f"no predictions for {len(missing)} of {len(tokens)} samples, the first is {missing[0]}"
        )
    if unknown := sorted(set(predictions) - set(tokens)):
        raise ValueError(
            f"predictions for {len(unknown)} samples without ground truth, the first is {unknown[0]}"
        )
    for token, boxes in predictions.items():
        if len(boxes) > MAX_BOXES_PER_SAMPLE:
            raise ValueError(
                f"sample {token} has {len(boxes)} boxes, at most {MAX_BOXES_PER_SAMPLE} are allowed"
            )


def _judge_class(
    name: str, truth: BoxTable, predicted: BoxTable
) -> tuple[dict[float, float], dict[str, float]]:
    """AP by distance threshold and errors by name of one class."""
    ranked = predicted.select(by_score(predicted.score))
    pairs = candidate_pairs(truth, ranked, max(DISTANCE_THRESHOLDS))
    precision: dict[float, float] = {}
    errors = dict.fromkeys(ERROR_NAMES, 1.0)
    for threshold in DISTANCE_THRESHOLDS:
        places, rows = greedy_matches(pairs, threshold)
        if len(places) == 0:
            precision[threshold] = 0.0
            continue
        curve, confidence = _precision_curve(ranked.score, places, len(truth))
        precision[threshold] = _average_precision(curve)
        if threshold == ERROR_THRESHOLD:
            each = match_errors(
                truth.select(rows), ranked.select(places), half_turn=name in HALF_TURN_CLASSES
            )
            scores = ranked.score[places]
            errors = {error: _mean_error(values, scores, confidence) for error, values in each.items()}
    for error in ERRORS_WITHOUT_MEANING.get(name, ()):
        errors[error] = float("nan")
    return precision, errors


def _precision_curve(score: Array, places: NDArray[np.int64], positives: int) -> tuple[Array, Array]:
    """Precision and score (101,), (101,) at recalls 0, 0.01, ... 1; both 0 where the recall is not reached.

    Args:
        score: (N,) of all predictions, falling.
        places: (K,) which of them match.
        positives: number of annotated boxes.
    """
    hit = np.zeros(len(score), dtype=np.int64)
    hit[places] = 1
    true = np.cumsum(hit).astype(float)
    false = np.cumsum(1 - hit).astype(float)
    recall = true / float(positives)
    curve = np.interp(_RECALLS, recall, true / (false + true), right=0)
    return curve, np.interp(_RECALLS, recall, score, right=0)


def _average_precision(curve: Array) -> float:
    """Area of the precision curve above 10 % precision and 10 % recall, scaled to [0, 1]."""
    above = curve[_FIRST_STEP:] - MIN_PRECISION
    above[above < 0] = 0
    return float(np.mean(above)) / (1.0 - MIN_PRECISION)


def _mean_error(values: Array, scores: Array, confidence: Array) -> float:
    """Mean, over the recalls from 10 % to the highest reached, of the error averaged up to each recall.

    Args:
        values: (K,) error of each match, best score first; NaN does not count.
        scores: (K,) their scores.
        confidence: (101,) score at each recall, 0 where not reached.
    """
    reached = np.nonzero(confidence)[0]
    last = reached[-1] if len(reached) else 0
    if last < _FIRST_STEP:
        return 1.0
    # `np.interp` wants rising scores. The curve stays a reversed view: the mean of it sums in that order.
    curve = np.interp(confidence[::-1], scores[::-1], _running_mean(values)[::-1])[::-1]
    return float(np.mean(curve[_FIRST_STEP : last + 1]))


def _running_mean(values: Array) -> Array:
    """Mean (K,) of the values up to each place, NaN left out; all 1 if all are NaN, 0 before the first."""
    known = ~np.isnan(values)
    if not known.any():
        return np.ones(len(values))
    count = np.cumsum(known)
    total = np.nancumsum(values)
    return np.divide(total, count, out=np.zeros_like(total), where=count != 0)
