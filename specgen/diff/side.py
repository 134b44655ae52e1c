"""One of the two things that are compared: a spec as it was written and as it was compiled."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from specgen.assignments import assigned, parse_assignments
from specgen.diagnostic import SpecError
from specgen.diff.marks import only_written, origins_of, with_origins
from specgen.document import Node
from specgen.extends import load_chain, merged
from specgen.inference import Graph
from specgen.load import load
from specgen.pipeline import compiled, shown_path
from specgen.sources import Sources


@dataclass(frozen=True, slots=True)
class Side:
    """A spec, or the resolved spec of an experiment.

    Attributes:
        name: how the user named it.
        written: what was written, `extends` merged, with `vars` and `${name}` as they stand.
        substituted: the same with the variables put in.
        root: the compiled spec, everything filled in.
        graph: its model; None when it does not compile.
        resolved: whether it is an experiment's resolved spec, which has no variables any more.
        problem: why it does not compile; empty when it does. A spec's `root` is then `substituted`.
    """

    name: str
    written: Node
    substituted: Node
    root: Node
    graph: Graph | None
    resolved: bool
    problem: str = ""

    @property
    def full(self) -> bool:
        """Whether `root` has everything filled in."""
        return self.resolved or not self.problem


def spec_side(
    path: Path,
    sources: Sources,
    sets: tuple[str, ...],
    *,
    name: str,
    shown: str | None = None,
    lenient: bool = False,
) -> Side:
    """A spec file; `lenient` takes one that can be read and does not compile, as of another version.

    Raises:
        SpecError: when it is not right.
    """
    shown = shown or shown_path(path)
    name = " ".join([name, *(f"--set {shlex.quote(text)}" for text in sets)])
    own = Sources()
    written = assigned(merged(load_chain(path, shown, own)), parse_assignments(sets, own))
    try:
        spec = compiled(path, sources, sets, shown=shown)
    except SpecError as error:
        if not lenient:
            raise
        substituted = load(path, shown, Sources(), sets).root
        return Side(name, written, substituted, substituted, None, resolved=False, problem=_problem(error))
    return Side(name, written, spec.loaded.root, spec.root, spec.graph, resolved=False)


def experiment_side(path: Path, sources: Sources, *, name: str, shown: str, lenient: bool = False) -> Side:
    """The resolved `spec.yaml` of an experiment; its notes say what was written.

    Raises:
        SpecError: when it is not right, as after a change of schemas; with `lenient` when it cannot be read.
    """
    noted = with_origins(load(path, shown, sources).root, sources.texts[shown])
    written = only_written(noted)
    try:
        spec = compiled(path, Sources(), shown=shown)
    except SpecError as error:
        if not lenient:
            raise
        return Side(name, written, written, noted, None, resolved=True, problem=_problem(error))
    return Side(name, written, written, origins_of(spec.root, noted), spec.graph, resolved=True)


def _problem(error: SpecError) -> str:
    """The first thing that is wrong, and how many there are."""
    first, *others = error.diagnostics
    more = f", and {len(others)} more" if others else ""
    return f"{first.message} [{first.code}{more}]"
