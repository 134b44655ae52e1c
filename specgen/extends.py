"""`extends`: a spec that changes some values of another one."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from specgen import locate
from specgen.diagnostic import Diagnostic, SpecError
from specgen.did_you_mean import close_to
from specgen.document import Node
from specgen.sources import Sources, read_text
from specgen.yaml_text import parse_yaml

# Elsewhere `null` is a value: these hold components by names of the spec's own.
_SECTIONS_OF_NAMES = ("data", "stages")


def load_chain(path: Path, shown: str, sources: Sources) -> list[Node]:
    """The spec at `path` and the specs that it extends, the last one extending none. Texts are added to
    `sources`.

    Raises:
        SpecError: for a file that cannot be read, is no map, or extends itself by any way.
    """
    chain: list[Node] = []
    seen: dict[Path, str] = {}
    asked: Node | None = None
    while True:
        real = path.resolve()
        if real in seen:
            loop = " -> ".join([*(f"`{name}`" for file, name in seen.items()), f"`{seen[real]}`"])
            assert asked is not None
            raise SpecError(Diagnostic("E011", f"a spec cannot extend itself: {loop}", asked.span))
        seen[real] = shown
        try:
            text = read_text(path, shown, asked_at=asked.span if asked is not None else None)
        except SpecError as error:
            if asked is None or os.path.exists(path):
                raise
            hint = _missing_hint(path, str(asked.value), Path(asked.span.file).name)
            raise SpecError(*(replace(diagnostic, hint=hint) for diagnostic in error.diagnostics)) from None
        sources.texts[shown] = text
        root = parse_yaml(text, shown)
        if root.value is None:
            raise SpecError(Diagnostic("E020", "the spec is empty", root.span))
        if not root.is_map:
            raise SpecError(Diagnostic("E020", "a spec is a map of sections such as `model:`", root.span))
        chain.append(root)
        asked = root.get("extends")
        if asked is None:
            return chain
        if not isinstance(asked.value, str) or not asked.value or Path(asked.value).is_absolute():
            raise SpecError(Diagnostic("E011", "`extends` is one path, relative to this file", asked.span))
        path = path.parent / asked.value
        shown = _joined(shown, asked.value)


def merged(chain: list[Node]) -> Node:
    """One map out of the chain: a child's maps are merged into its parent's, its lists and scalars replace
    them.

    A component whose `type` the child changes is replaced whole: what was set for the other type has no
    meaning for this one. A stage or a loader of the parent is left out where the child says `null`.
    """
    result = chain[-1]
    for child in reversed(chain[:-1]):
        result = without_null(result, _merge(result, child))
    return result


def without_null(parent: Node, result: Node) -> Node:
    """`result` less the stages and loaders that are null in it and something in `parent`."""
    for section in _SECTIONS_OF_NAMES:
        entries = result.get(section)
        if entries is None or not entries.is_map:
            continue
        kept = {
            name: node
            for name, node in entries.items()
            if node.value is not None or parent.plain_at(section, name) is None
        }
        result = result.replace((section,), replace(entries, value=MappingProxyType(kept)))
    return result


def _missing_hint(path: Path, asked: str, own: str) -> str | None:
    """What was probably meant by a path in `extends` that leads nowhere, in the spec file `own`."""
    ready = locate.ready_specs()
    try:
        beside = {file.stem: file.name for file in path.parent.glob("*.yaml") if file.name != own}
    except OSError:
        beside = {}
    meant = path.stem if path.stem in ready else close_to(path.stem, [*beside, *ready])
    if meant in beside:
        return f"did you mean `{(PurePosixPath(asked).parent / beside[meant]).as_posix()}`?"
    if meant is None:
        return None
    return f"`{meant}` comes with specgen: `specgen new NAME --from {meant}` puts a copy beside the new spec"


def _merge(parent: Node, child: Node) -> Node:
    if not (parent.is_map and child.is_map):
        return child
    types = parent.get("type"), child.get("type")
    if types[1] is not None and types[0] is not None and types[0].value != types[1].value:
        return child
    entries = dict(parent.items())
    for key, node in child.items():
        entries[key] = _merge(entries[key], node) if key in entries else node
    return Node(MappingProxyType(entries), child.span, child.key_span)


def _joined(shown: str, relative: str) -> str:
    """`specs/tiny.yaml` + `../base.yaml` -> `base.yaml`, without touching the file system."""
    parts: list[str] = []
    for part in (Path(shown).parent / relative).parts:
        if part == ".." and parts and parts[-1] not in ("..", "/"):
            parts.pop()
        else:
            parts.append(part)
    return str(Path(*parts))
