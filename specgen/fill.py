"""The third step: values that nobody wrote and that have a default; and the schema's order for all."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from specgen.document import DEFAULT, Node, Path, node_of
from specgen.schemas import Schema, Schemas, children


def filled(root: Node, schemas: Schemas) -> Node:
    """The spec with every default of the schemas written into it, marked as default.

    Only for a spec that is valid: filling while validating would make valid unions fail.
    """
    return _filled(root, schemas.top, schemas)


def _filled(node: Node, schema: Schema, schemas: Schemas) -> Node:
    view = schemas.view(schema, node)
    if node.is_list:
        elements = tuple(_filled(child, part, schemas) for _, child, part in children(view, node))
        return replace(node, value=elements)
    if not node.is_map:
        return node
    entries = {str(key): _filled(child, part, schemas) for key, child, part in children(view, node)}
    named = node.get("type") or node
    for key, part in view.get("properties", {}).items():
        part_view = schemas.view(part)
        if key not in entries and "default" in part_view:
            default = node_of(part_view["default"], span=named.span, origin=DEFAULT)
            entries[key] = _filled(default, part, schemas)
    return replace(node, value=MappingProxyType(entries))


def arranged(root: Node, schemas: Schemas) -> Node:
    """The spec with the keys of each map in the order of its schema, others after them as they were."""
    return _arranged(root, schemas.top, schemas)


def _arranged(node: Node, schema: Schema, schemas: Schemas) -> Node:
    view = schemas.view(schema, node)
    if node.is_list:
        return replace(
            node, value=tuple(_arranged(child, part, schemas) for _, child, part in children(view, node))
        )
    if not node.is_map:
        return node
    order = {key: index for index, key in enumerate(view.get("properties", {}))}
    entries = sorted(children(view, node), key=lambda item: order.get(str(item[0]), len(order)))
    return replace(
        node,
        value=MappingProxyType({str(key): _arranged(child, part, schemas) for key, child, part in entries}),
    )


def missing_derived(root: Node, schemas: Schemas) -> list[tuple[Path, Node, str]]:
    """Properties that inference should have filled: path, component, and where the value comes from."""
    return list(_missing(root, schemas.top, schemas, ()))


def _missing(node: Node, schema: Schema, schemas: Schemas, path: Path) -> list[tuple[Path, Node, str]]:
    view = schemas.view(schema, node)
    found: list[tuple[Path, Node, str]] = []
    for key, part in view.get("properties", {}).items() if node.is_map else ():
        source = part.get("x-derived")
        if source is not None and node.get(key) is None and "default" not in schemas.view(part):
            found.append(((*path, key), node, source))
    for step, child, part in children(view, node):
        found += _missing(child, part, schemas, (*path, step))
    return found
