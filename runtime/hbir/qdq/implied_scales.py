"""The real numbers that multipliers and shifts stand for.

A node that computes `q * m * 2^-k` into codes of scale s_y takes q for q * (m * 2^-k * s_y): that is the
scale at which its input is dequantised. It differs from the tensor's own by the rounding of m, if at all.
"""

from __future__ import annotations

from math import ldexp

import numpy as np
from numpy.typing import NDArray

from runtime.hbir.graph import Node
from runtime.hbir.tensor_type import TensorType

Scales = NDArray[np.float64]

_MERGED = 2.0**-10


def of_pair(multiplier: int, shift: int, made: TensorType) -> float:
    """Value of one code of an input, from its multiplier m and shift k."""
    return ldexp(multiplier, -shift) * made.scale[0]


def of_node(node: Node, made: TensorType) -> float:
    """Value of one code of the input of a node with one `multiplier` and `shift`."""
    return of_pair(node.integer("multiplier"), node.integer("shift"), made)


def of_accumulator(node: Node, made: TensorType) -> Scales:
    """Value of one unit of the accumulator, for each channel: (O,)."""
    if "multiplier" not in node.constants:
        return np.broadcast_to(np.array(made.scale), (node.constants["weight"].shape[0],))
    factors = np.ldexp(node.codes("multiplier").astype(np.float64), -node.codes("shift"))
    return factors * made.scale[0]


def of_residual(node: Node, residual: TensorType, made: TensorType) -> float | Scales:
    """Value of one code of what a convolution adds: one for all channels where that is as good.

    The multipliers of the channels are one number, rounded with different shifts. The largest one then is
    taken for all if no code of the result moves by more than 2^-10.
    """
    multiplier = node.codes("residual_multiplier").astype(np.float64)
    scales = np.ldexp(multiplier, -node.codes("shift")) * made.scale[0]
    largest = float(scales.max())
    moved = (largest - scales.min()) * 2.0 ** (residual.bits - 1)
    return largest if moved <= _MERGED * made.scale[0] else scales
