"""The first step: files and `--set` values in, one merged tree out, every value with its place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from specgen.assignments import Assignment, assigned, parse_assignments
from specgen.diagnostic import Diagnostic
from specgen.document import Node
from specgen.extends import load_chain, merged, without_null
from specgen.sources import Sources
from specgen.variables import substituted


@dataclass(frozen=True, slots=True)
class LoadedSpec:
    """A spec as written: `extends` merged, `--set` applied, variables put in.

    `shown` is how the spec's file is named in what is generated, `files` the texts it came from, by that
    same kind of name, the spec itself first. `unused` tells of variables that nothing uses.
    """

    shown: str
    root: Node
    files: dict[str, str]
    sets: tuple[str, ...]
    unused: tuple[Diagnostic, ...] = ()


def load(path: Path, shown: str, sources: Sources, sets: tuple[str, ...] = ()) -> LoadedSpec:
    """Read the spec at `path`; `sources` is filled with the texts, also when this raises.

    Raises:
        SpecError: for every mistake that can be seen without the schemas.
    """
    assignments: tuple[Assignment, ...] = parse_assignments(sets, sources)
    chain = load_chain(path, shown, sources)
    files = {file: text for file, text in sources.texts.items() if file in {tree.span.file for tree in chain}}
    root = merged(chain)
    root = without_null(root, assigned(root, assignments))
    written = [*chain, *(item.node for item in assignments)]
    result = substituted(root, written)
    return LoadedSpec(shown, result.root, files, sets, result.unused)
