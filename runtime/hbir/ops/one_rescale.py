"""What operations have in common that rescale by one multiplier for the whole tensor."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from runtime.hbir.graph import Attribute, Node
from runtime.hbir.ops.operation import FORMAT, Operation, need_rescale
from runtime.hbir.ops.single_node import random_bounds, random_rescale
from runtime.hbir.tensor_type import DType


class OneRescale(Operation):
    """Integers, one rescale by `multiplier` and `shift`."""

    scalars: ClassVar[tuple[str, ...]] = (*FORMAT, "multiplier", "shift")

    def check_rescale(self, node: Node) -> None:
        """Checks multiplier and shift.

        Raises:
            RunError: they are outside of the arithmetic.
        """
        need_rescale(node, [node.integer("multiplier")], [node.integer("shift")])

    @staticmethod
    def random_format(rng: np.random.Generator, largest: float, out: DType) -> dict[str, Attribute]:
        """Rescale and bounds for integers up to `largest`, a few of which are cut."""
        multiplier, shift = random_rescale(rng, np.iinfo(out).max / largest * 2)
        return {"multiplier": int(multiplier), "shift": int(shift), **random_bounds(rng, out)}
