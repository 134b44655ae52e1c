"""What an estimate is made of: operations of the hardware model, and what is not among them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from runtime.bpu.operation import Operation, Shape
from runtime.errors import RunError


@dataclass(frozen=True)
class LeftOut:
    """Calls that no operation of the hardware model stands for.

    Args:
        source: what the network's format calls them.
        names: of each.
        reason: why.
    """

    source: str
    names: tuple[str, ...]
    reason: str

    @property
    def text(self) -> str:
        """One sentence with the consequence."""
        count = len(self.names)
        verb = "is" if count == 1 else "are"
        return (
            f"{count} `{self.source}` {verb} not in the model ({self.reason}): the estimate leaves "
            f"{'it' if count == 1 else 'them'} out; the true time is longer"
        )


@dataclass(frozen=True)
class Assumption:
    """Calls that the hardware model has no operation for, and what was taken in their place.

    Args:
        source: what the network's format calls them.
        count: how many.
        words: what they were taken as.
    """

    source: str
    count: int
    words: str

    @property
    def text(self) -> str:
        return f"{self.count} `{self.source}` taken as {self.words}"


@dataclass(frozen=True)
class Network:
    """A network as the hardware model sees it.

    Args:
        operations: in the order of computation.
        left_out: what is not among them.
        assumptions: what is among them as something else.
        inputs: shapes of what one run is given, by name.
    """

    operations: tuple[Operation, ...]
    left_out: tuple[LeftOut, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    inputs: Mapping[str, Shape] = field(default_factory=dict)

    @property
    def run(self) -> str:
        """What one run is given, in words."""
        return ", ".join(f"`{name}` {'x'.join(map(str, shape))}" for name, shape in self.inputs.items())

    def complete(self) -> list[Operation]:
        """The operations, when nothing was left out.

        Raises:
            RunError: something was.
        """
        if self.left_out:
            raise RunError(
                "; ".join(left_out.text for left_out in self.left_out),
                hint="estimate without `strict` to see the time of the rest",
            )
        return list(self.operations)


def grouped_left_out(found: Iterable[tuple[str, str, str]]) -> tuple[LeftOut, ...]:
    """One entry for each (source, reason) of (source, name, reason), in the order of their first."""
    names: dict[tuple[str, str], list[str]] = {}
    for source, name, reason in found:
        names.setdefault((source, reason), []).append(name)
    return tuple(LeftOut(source, tuple(group), reason) for (source, reason), group in names.items())


def grouped_assumptions(found: Iterable[tuple[str, str]]) -> tuple[Assumption, ...]:
    """One entry for each pair (source, words), in the order of their first."""
    counts: dict[tuple[str, str], int] = {}
    for pair in found:
        counts[pair] = counts.get(pair, 0) + 1
    return tuple(Assumption(source, count, words) for (source, words), count in counts.items())
