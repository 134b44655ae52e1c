"""What the checker found, and its verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from runtime.bpu.checker.finding import Finding
from runtime.bpu.checker.grid_precision import GridPrecision
from runtime.bpu.checker.suggestion import Suggestion
from runtime.bpu.checker.sums import SumRange
from runtime.bpu.checker.widths import Widths
from runtime.bpu.march_data import CPU, UNITS, UNSUPPORTED, March
from runtime.hbir.tensor_type import Shape


@dataclass(frozen=True)
class Remark:
    """What one rule says about one node.

    Args:
        rule: name of the rule, a key of `rules.RULES`.
        node: name of the node.
        finding: what it says.
    """

    rule: str
    node: str
    finding: Finding


@dataclass(frozen=True)
class NodeReport:
    """One node.

    Args:
        name: of the node.
        op: as the graph names it.
        place: where it runs: a unit of the BPU, `CPU` or `unsupported`.
        in_shapes: of the tensors that it reads.
        out_shape: of the tensor that it makes.
        widths: requested and granted.
        padding: share of its work that is padding; None where no unit does it.
        cycles: predicted, of one core; None where it does not run on the BPU.
        largest_sum: of its accumulator; None for what has none.
        multiplier_bits: significant bits that its rescaling needs; 0 without any.
        grid: of `grid_sample`.
    """

    name: str
    op: str
    place: str
    in_shapes: tuple[Shape, ...]
    out_shape: Shape
    widths: Widths
    padding: float | None
    cycles: float | None
    largest_sum: SumRange | None
    multiplier_bits: int
    grid: GridPrecision | None


@dataclass(frozen=True)
class CheckReport:
    """A network on a march.

    Args:
        march: the chip.
        nodes: every node, in order.
        remarks: what the rules found, in the order of nodes.
        suggestions: what would save or mend, the largest saving first.
        padding: share of the work of each unit that is padding, where a unit has work.
        refusal: why there is no graph to check; None where there is one.
    """

    march: March
    nodes: tuple[NodeReport, ...] = ()
    remarks: tuple[Remark, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    padding: Mapping[str, float] = field(default_factory=dict)
    refusal: str | None = None

    @property
    def places(self) -> dict[str, int]:
        """Number of nodes by where they run."""
        counts = Counter(node.place for node in self.nodes)
        return {place: counts[place] for place in (*UNITS, CPU, UNSUPPORTED) if counts[place]}

    @property
    def fits(self) -> bool:
        """Whether the BPU runs every node."""
        return self.refusal is None and not {CPU, UNSUPPORTED} & set(self.places)

    @property
    def runs(self) -> bool:
        """Whether BPU and CPU together run every node."""
        return self.refusal is None and UNSUPPORTED not in self.places

    @property
    def verdict(self) -> str:
        """`fits`, `falls to CPU: n nodes`, `unsupported: n nodes`, or both of these."""
        if self.refusal is not None:
            return "unsupported: no fixed-point graph can be made of the network"
        named = {UNSUPPORTED: "unsupported", CPU: "falls to CPU"}
        parts = [
            f"{text}: {_nodes(self.places[place])}" for place, text in named.items() if place in self.places
        ]
        return ", ".join(parts) or "fits"


def _nodes(count: int) -> str:
    return f"{count} node" if count == 1 else f"{count} nodes"
