"""How specs write each component: the values that are written, components inside by their type.

The values are those of a ready spec, or of the swap that a tutorial describes where no ready spec has it.
"""

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

# Not all of `specs/`: there a user's own lie, too.
_READY = ("bev_ipm", "bev_ipm_tiny")
# By (kind, type): the tutorial, and where it puts the component in.
_SWAPS = {
    ("backbone", "resnet"): ("change_the_backbone", "model.backbone={type: resnet, depth: 50}"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """An example: YAML of a component, and where it is from.

    Attributes:
        text: the YAML.
        place: dotted path in the spec.
        file: the ready spec, or the tutorial that has the component put in; from the root of the repository.
        shortened: whether components inside it are cut down to their types.
    """

    text: str
    place: str
    file: str
    shortened: bool


def examples(schemas: Schemas) -> dict[tuple[str, str], Shown]:
    """One example of each (kind, type), from the first ready spec that uses it; of those that none uses, of
    the ones that a tutorial puts in."""
    found: dict[tuple[str, str], Shown] = {}
    ready = locate.ready_specs()
    for name in _READY:
        root = compiled(ready[name], Sources()).root
        for path, kind, node in _components(root, schemas.top, schemas, ()):
            key = (kind, node.type or "")
            if key not in found:
                found[key] = _shown(key, path, node, f"specs/{name}.yaml", schemas)
    for key, (tutorial, change) in _SWAPS.items():
        root = compiled(ready[_READY[0]], Sources(), (change,)).root
        path = tuple(change.partition("=")[0].split("."))
        found.setdefault(key, _shown(key, path, root.at(*path), f"docs/tutorials/{tutorial}.md", schemas))
    return found


def _shown(key: tuple[str, str], path: Path, node: Node, file: str, schemas: Schemas) -> Shown:
    view, written = schemas.component(*key) or {}, only_written(node)
    cut = _by_type(written, view, schemas)
    # The blank lines are for sections, which these are not.
    text = "".join(line for line in spec_yaml(cut).splitlines(keepends=True) if line.strip())
    return Shown(text, dotted(path), file, shortened=cut.plain() != written.plain())


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
