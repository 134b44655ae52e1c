"""`extends`: a spec that changes some values of another one."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from specgen.diagnostic import Diagnostic, SpecError
from specgen.document import Node
from specgen.sources import Sources, read_text
from specgen.yaml_text import parse_yaml


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
        text = read_text(path, shown, asked_at=asked.span if asked is not None else None)
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
    meaning for this one.
    """
    result = chain[-1]
    for child in reversed(chain[:-1]):
        result = _merge(result, child)
    return result


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
