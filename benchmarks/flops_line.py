"""The baseline: time as a straight line in giga-operations, `t = a + b G`, by least relative squares."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.measurements import Measurement


def line_errors(rows: Sequence[Measurement]) -> list[float]:
    """Relative errors in sample."""
    a, b = _line(rows)
    return [_error(a, b, row) for row in rows]


def line_leave_one_out(rows: Sequence[Measurement]) -> list[float]:
    """Relative errors of every row by a line through the others, of which there must be two."""
    errors = []
    for index, row in enumerate(rows):
        a, b = _line([*rows[:index], *rows[index + 1 :]])
        errors.append(_error(a, b, row))
    return errors


def _line(rows: Sequence[Measurement]) -> tuple[float, float]:
    times = np.array([row.microseconds for row in rows])
    features = np.array([[1.0, row.giga_operations] for row in rows]) / times[:, None]
    (a, b), *_ = np.linalg.lstsq(features, np.ones(len(rows)), rcond=None)
    return float(a), float(b)


def _error(a: float, b: float, row: Measurement) -> float:
    return (a + b * row.giga_operations) / row.microseconds - 1
