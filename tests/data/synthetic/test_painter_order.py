"""Back-to-front order of footprints, compared with rays through the plane."""

import itertools

import numpy as np
import pytest

from runtime.data.synthetic.collision import rectangles_overlap
from runtime.data.synthetic.painter_order import painter_order
from runtime.geometry.boxes import ground_corners


def first_hit(footprints: np.ndarray, eye: np.ndarray, direction: np.ndarray) -> list[tuple[float, int]]:
    """Footprints met by a ray, with the distance at which it enters them, nearest first."""
    hits = []
    for i, corners in enumerate(footprints):
        entering, leaving = 0.0, np.inf
        for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            normal = np.array([b[1] - a[1], a[0] - b[0]])
            height, slope = normal @ (eye - a), normal @ direction
            if abs(slope) < 1e-12:
                entering = np.inf if height > 0 else entering
            elif slope < 0:
                entering = max(entering, -height / slope)
            else:
                leaving = min(leaving, -height / slope)
        if entering < leaving:
            hits.append((entering, i))
    return sorted(hits)


@pytest.mark.parametrize("seed", range(12))
def test_nothing_is_covered_by_what_lies_behind_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows: list[list[float]] = []
    while len(rows) < 14:  # long and short things that do not touch each other, nor the eye
        row = [*rng.uniform(-20, 20, 2), 0, rng.uniform(0.4, 3), rng.uniform(0.5, 14), 1, rng.uniform(0, 6.3)]
        others = np.array([*rows, [0, 0, 0, 1, 1, 1, 0]])
        a, b = np.array(row), others
        if not rectangles_overlap(
            a[None, :2], a[None, 6], a[None, [4, 3]] / 2 + 0.1, b[:, :2], b[:, 6], b[:, [4, 3]] / 2
        ).any():
            rows.append(row)
    # `ground_corners` runs clockwise seen from above.
    footprints = ground_corners(rows)[:, ::-1]
    order = painter_order(footprints, np.zeros(2))
    assert sorted(order) == list(range(len(rows)))
    place = {index: rank for rank, index in enumerate(order)}
    pairs = 0
    for angle in np.arange(0, 2 * np.pi, 0.01):
        hits = first_hit(footprints, np.zeros(2), np.array([np.cos(angle), np.sin(angle)]))
        for (_, nearer), (_, farther) in itertools.pairwise(hits):
            assert place[nearer] > place[farther]
            pairs += 1
    assert pairs > 50


def test_centre_distance_alone_would_be_wrong() -> None:
    # A long bus beside the eye hides a car whose middle is nearer than the middle of the bus.
    bus = [6.5, 2.0, 0, 2.0, 13.0, 3, 0.0]
    car = [4.0, 4.5, 0, 1.8, 2.0, 1.5, 0.0]
    footprints = ground_corners([bus, car])[:, ::-1]
    assert np.linalg.norm(car[:2]) < np.linalg.norm(bus[:2])
    assert painter_order(footprints, np.zeros(2)) == [1, 0]


def test_overlapping_solids_fall_back_to_distance() -> None:
    rows = [[10.0, 0, 0, 2, 2, 1, 0.3], [9.0, 0.2, 0, 2, 2, 1, 0.9]]
    assert painter_order(ground_corners(rows)[:, ::-1], np.zeros(2)) == [0, 1]
    assert painter_order(np.zeros((0, 4, 2)), np.zeros(2)) == []
