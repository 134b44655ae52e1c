"""How the ready specs write each component: the values that are written, components inside by their type."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import MappingProxyType

from specgen import locate
from specgen.diff.marks import only_written
from specgen.document import Node, Path, dotted
from specgen.emit.spec_yaml import spec_yaml
from specgen.pipeline import compiled
from specgen.schemas import Schema, Schemas, children
from specgen.sources import Sources

_FIRST = ("bev_ipm", "bev_ipm_tiny")


@dataclass(frozen=True, slots=True)
class Shown:
    """An example: YAML of a component, and where it is from."""

    text: str
    place: str
    spec: str


def examples(schemas: Schemas) -> dict[tuple[str, str], Shown]:
    """One example of each (kind, type) that a ready spec uses, from the first that does."""
    found: dict[tuple[str, str], Shown] = {}
    ready = locate.ready_specs()
    for name in (*_FIRST, *(name for name in ready if name not in _FIRST)):
        root = compiled(ready[name], Sources()).root
        for path, kind, node in _components(root, schemas.top, schemas, ()):
            key = (kind, node.type or "")
            if key not in found:
                text = spec_yaml(_by_type(only_written(node), schemas.component(*key) or {}, schemas))
                # The blank lines are for sections, which these are not.
                text = "".join(line for line in text.splitlines(keepends=True) if line.strip())
                found[key] = Shown(text, dotted(path), f"specs/{name}.yaml")
    return found


def _components(node: Node, schema: Schema, schemas: Schemas, path: Path) -> Iterator[tuple[Path, str, Node]]:
    if "x-kind" in schema and node.type is not None:
        yield path, schema["x-kind"], node
    for step, child, part in children(schemas.view(schema, node), node):
        yield from _components(child, part, schemas, (*path, step))


def _by_type(node: Node, view: Schema, schemas: Schemas) -> Node:
    """The component with those inside it cut down to their types."""
    if node.is_list:
        parts = [_cut(child, part, schemas) for _, child, part in children(view, node)]
        return replace(node, value=tuple(parts))
    entries = {str(key): _cut(child, part, schemas) for key, child, part in children(view, node)}
    return replace(node, value=MappingProxyType(entries))


def _cut(node: Node, part: Schema, schemas: Schemas) -> Node:
    if "x-kind" in part and node.type is not None:
        return replace(node, value=MappingProxyType({"type": node.at("type")}))
    return _by_type(node, schemas.view(part), schemas) if node.is_list else node
