"""Which prediction meets which annotated box: greedy by score, nearest centre first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runtime.evaluation.box_table import BoxTable

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

_BLOCK = 1_000_000
"""Pairs looked at in one go: bounds the memory where samples are crowded."""


@dataclass(frozen=True)
class CandidatePairs:
    """Pairs of a prediction and an annotated box of one sample that lie near each other.

    Sorted by the prediction's place (see `by_score`), then by distance, then by the box's row: the order in
    which a greedy assignment asks for them.
    """

    place: Indices
    truth: Indices
    distance: Array


def by_score(score: Array) -> Indices:
    """Rows (N,) from the highest score down; of equal scores the later first, as the official code does."""
    return np.argsort(score, kind="stable")[::-1]


def candidate_pairs(truth: BoxTable, ranked: BoxTable, reach: float) -> CandidatePairs:
    """All pairs of equal sample closer than `reach` metres, for tables of one class.

    Args:
        truth: annotated boxes, sorted by sample.
        ranked: predictions in the order of `by_score`.
        reach: metres between centres, seen from above.
    """
    first = np.searchsorted(truth.sample, ranked.sample, side="left")
    count = np.searchsorted(truth.sample, ranked.sample, side="right") - first
    ends = np.cumsum(count)
    parts = []
    for block in np.array_split(np.arange(len(ranked)), int(ends[-1]) // _BLOCK + 1 if len(ends) else 1):
        place = np.repeat(block, count[block])
        within = np.arange(len(place)) - np.repeat(np.cumsum(count[block]) - count[block], count[block])
        row = first[place] + within
        offset = ranked.translation[place, :2] - truth.translation[row, :2]
        near = (np.abs(offset) <= reach).all(axis=1)
        parts.append((place[near], row[near], planar_norm(offset[near])))
    place, row, distance = (np.concatenate(values) for values in zip(*parts, strict=True))
    order = np.lexsort((row, distance, place))
    order = order[distance[order] < reach]
    return CandidatePairs(place[order], row[order], distance[order])


def greedy_matches(pairs: CandidatePairs, threshold: float) -> tuple[Indices, Indices]:
    """Places and rows (K,), (K,) of the matches closer than `threshold` metres, by rising place.

    Each prediction in turn takes the nearest annotated box that no better one has taken.
    """
    close = pairs.distance < threshold
    places: list[int] = []
    rows: list[int] = []
    taken: set[int] = set()
    matched = -1
    for place, row in zip(pairs.place[close].tolist(), pairs.truth[close].tolist(), strict=True):
        if place != matched and row not in taken:
            matched = place
            taken.add(row)
            places.append(place)
            rows.append(row)
    return np.array(places, dtype=np.int64), np.array(rows, dtype=np.int64)


def planar_norm(vectors: Array) -> Array:
    """Lengths (N,) of vectors (N, 2), each from its own dot product.

    The official code measures one vector at a time with `np.linalg.norm`, whose dot product may fuse a
    multiplication with the addition; column arithmetic rounds differently in one case of six.
    """
    vectors = np.ascontiguousarray(vectors)
    return np.sqrt(np.fromiter((vector.dot(vector) for vector in vectors), np.float64, len(vectors)))
