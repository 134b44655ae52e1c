"""Robust least squares on log time with a prior on every free constant, and leave-one-out errors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from benchmarks.free_constants import Constant, with_constants, with_on_chip_bytes
from benchmarks.measurements import Measurement
from runtime.bpu.march_data import March
from runtime.bpu.network_cost import network_microseconds
from runtime.bpu.operation_cost import Work, operation_work, work_cycles

# Relative error of a measurement at which it weighs as much as a prior that is off by its spread.
ROW_SPREAD = 0.05


@dataclass(frozen=True)
class Fit:
    """The fitted march.

    Args:
        values: of the free constants.
        errors: their relative standard errors.
        on_chip_bytes: the size of memory that fits best.
        loss: what was minimised.
    """

    values: Mapping[str, float]
    errors: Mapping[str, float]
    on_chip_bytes: int
    loss: float


def fit(
    march: March, rows: Sequence[Measurement], constants: Mapping[str, Constant], sizes: Sequence[int]
) -> Fit:
    """Best constants for every memory size of `sizes`, and of those the best; without rows, the priors."""
    return min((_fit_size(march, rows, constants, size) for size in sizes), key=lambda found: found.loss)


def predict(march: March, found: Fit, row: Measurement) -> float:
    """Time of one run in microseconds."""
    return _microseconds(with_constants(march, found.values), _works(march, row, found.on_chip_bytes))


def leave_one_out(
    march: March, rows: Sequence[Measurement], constants: Mapping[str, Constant], sizes: Sequence[int]
) -> list[float]:
    """Relative errors of every row as predicted by a fit to the others, memory size included."""
    errors = []
    for index, row in enumerate(rows):
        found = fit(march, [*rows[:index], *rows[index + 1 :]], constants, sizes)
        errors.append(predict(march, found, row) / row.microseconds - 1)
    return errors


def _fit_size(march: March, rows: Sequence[Measurement], constants: Mapping[str, Constant], size: int) -> Fit:
    names = list(constants)
    prior = np.log([constants[name].prior for name in names])
    spread = np.array([constants[name].spread for name in names])
    works = [_works(march, row, size) for row in rows]
    measured = np.log([row.microseconds for row in rows])

    def residuals(logarithms: np.ndarray) -> np.ndarray:
        changed = with_constants(march, dict(zip(names, np.exp(logarithms).tolist(), strict=True)))
        times = np.log([_microseconds(changed, work) for work in works])
        return np.concatenate([(times - measured) / ROW_SPREAD, (logarithms - prior) / spread])

    solved = least_squares(residuals, prior, loss="soft_l1")
    covariance = np.linalg.inv(solved.jac.T @ solved.jac)
    noise = max(1.0, float(np.sqrt(np.mean(solved.fun[: len(rows)] ** 2)))) if rows else 1.0
    return Fit(
        values=dict(zip(names, np.exp(solved.x).tolist(), strict=True)),
        errors=dict(zip(names, (noise * np.sqrt(np.diag(covariance))).tolist(), strict=True)),
        on_chip_bytes=size,
        loss=float(solved.cost),
    )


def _works(march: March, row: Measurement, size: int) -> Counter[Work]:
    """What the operations of a network ask of the chip, equal ones counted."""
    sized = with_on_chip_bytes(march, size)
    return Counter(operation_work(sized, operation) for operation in row.operations)


def _microseconds(march: March, works: Mapping[Work, int]) -> float:
    cycles = sum(count * work_cycles(march, work).cycles for work, count in works.items())
    return network_microseconds(march, cycles)
