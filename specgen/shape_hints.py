"""Hints for values and keys that would be right somewhere else, or written another way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from specgen.did_you_mean import close_to
from specgen.document import Node, Path, dotted
from specgen.schemas import Schema, Schemas, child_schema, children

_GROUPED = re.compile(r"[-+]?[0-9]{1,3}(?:_[0-9]+)+\Z")
_DECIMAL_COMMA = re.compile(r"[-+]?[0-9]+,[0-9]+\Z")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\Z")
_YAML_1_1 = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_KEYS_LISTED = 8


def home_of_key(root: Node, schemas: Schemas, path: Path, key: str) -> str | None:
    """The hint about an unknown key that some part around or inside its map does know."""
    trail = list(_trail(root, schemas, path))
    for depth in range(len(trail) - 2, -1, -1):
        node, view = trail[depth]
        if key in view.get("properties", {}):
            where = f"`{dotted(path[:depth])}`" if depth else "the top of the spec"
            return f"`{key}` belongs to {where}"
    node, view = trail[-1]
    for step, child, part in children(view, node):
        if key in schemas.view(part, child).get("properties", {}):
            return f"`{key}` belongs to `{dotted((*path, step))}`"
    kind = _kind_at(root, schemas, path)
    for name in schemas.types(kind) if kind is not None else ():
        if key in (schemas.component(kind or "", name) or {}).get("properties", {}):
            return f"`{key}` is a key of `{name}`"
    known = list(view.get("properties", {}))
    if known and "type" not in known and len(known) <= _KEYS_LISTED:
        return f"its keys are {', '.join(f'`{name}`' for name in known)}"
    return None


def way_to_write(root: Node, schemas: Schemas, path: Path, wanted: list[str], value: Any) -> str | None:
    """The hint about a value of the wrong type, from what the user may have had in mind."""
    if isinstance(value, str):
        text = value.lower()
        if "boolean" in wanted and text in _YAML_1_1:
            return f"write `{_YAML_1_1[text]}`: in YAML 1.2 `{value}` is text"
        if {"number", "integer"} & set(wanted):
            return _number_in_text(value)
    if "integer" in wanted and isinstance(value, float) and value == int(value):
        return f"write `{int(value)}`: with a point or an exponent it is no whole number"
    kind = _kind_at(root, schemas, path)
    if kind is not None and "object" in wanted and isinstance(value, str):
        types = schemas.types(kind)
        meant = value if value in types else close_to(value, types)
        return f"a component is a map: `{{type: {meant or '...'}}}`"
    if value is None:
        return "a key with nothing after its colon has the value `null`"
    if "array" in wanted and isinstance(value, dict):
        if any(key.startswith("-") for key in value):
            return "an element of a list is written `- element`, with a space"
        return "a list of components has a `- ` before each" if "type" in value else None
    if wanted == ["object"] and isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        return "this is one component, not a list: take the `- ` away"
    return None


def kind_of_type(root: Node, schemas: Schemas, path: Path, value: Any) -> str | None:
    """The hint about a `type` that is one of another kind."""
    if not path or path[-1] != "type" or _kind_at(root, schemas, path[:-1]) is None:
        return None
    kinds = [kind.replace("_", " ") for kind in schemas.kinds() if schemas.component(kind, value) is not None]
    if not kinds:
        return None
    return f"`{value}` is {'an' if kinds[0][0] in 'aeiou' else 'a'} {kinds[0]}"


def _number_in_text(text: str) -> str | None:
    if _NUMBER.match(text):
        return f"write `{text}` without quotes"
    if _GROUPED.match(text):
        return f"write `{text.replace('_', '')}`: numbers have no `_` in YAML 1.2"
    if _DECIMAL_COMMA.match(text):
        return f"write `{text.replace(',', '.')}`: the decimal sign is a point"
    return None


def _kind_at(root: Node, schemas: Schemas, path: Path) -> str | None:
    """The kind of component that belongs at a path, None where none does."""
    if not path:
        return None
    _, view = list(_trail(root, schemas, path[:-1]))[-1]
    kind = child_schema(view, path[-1]).get("x-kind")
    return str(kind) if kind is not None else None


def _trail(root: Node, schemas: Schemas, path: Path) -> Iterator[tuple[Node, Schema]]:
    """The parts of a spec on the way to a path, from the top to the part itself, with what describes each."""
    node, schema = root, schemas.top
    yield node, schemas.view(schema, node)
    for step in path:
        schema, node = child_schema(schemas.view(schema, node), step), node.at(step)
        yield node, schemas.view(schema, node)
