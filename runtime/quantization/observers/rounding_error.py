"""The squared error of codes, from a histogram of magnitudes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def squared_errors(edges: Array, density: Array, scales: Array, high_code: int) -> Array:
    """Summed squared rounding and clipping errors (S,) of magnitudes, for each of the scales (S,).

    Args:
        edges: borders (B + 1,) of stretches of magnitudes, ascending.
        density: values per unit of magnitude (B,) in each stretch.
        scales: scales (S,) above zero.
        high_code: the highest code; larger magnitudes are clipped.
    """
    # The integral of the squared error from 0 to u is n s^3 / 12 + r^3 / 3 for u's code n and r = u - n s:
    # n whole cells of width s, and the piece from the last code's point to u, clipping past high_code.
    step = scales[:, None]
    code = np.minimum(np.round(edges / step), high_code)
    rest = edges - code * step
    integral = code * (step**3 / 12) + rest * rest * rest / 3
    # The sum over stretches of density times the integral's growth, ordered by edge.
    weight = np.concatenate(([0.0], density)) - np.concatenate((density, [0.0]))
    return integral @ weight


def density_of(counts: NDArray[np.int64], edges: Array, zeros: int, largest: float) -> tuple[Array, Array]:
    """Edges and values per unit of magnitude of the bins in use, without the zeros and one largest magnitude.

    The last bin ends at the largest magnitude.
    """
    used = int(np.searchsorted(edges, largest, side="right"))
    edges = edges[: used + 1].copy()
    # A largest magnitude on a bin's lower edge would leave that bin no width.
    edges[-1] = min(max(largest, edges[-2] + (edges[1] - edges[0]) / 1024), edges[-1])
    spread = counts[:used].astype(np.float64)
    spread[0] -= zeros
    spread[-1] = max(spread[-1] - 1, 0)
    return edges, spread / np.diff(edges)
