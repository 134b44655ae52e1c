"""The table of a component's keys."""

from __future__ import annotations

from collections.abc import Iterator

from specgen.property_text import PropertyText, property_text
from specgen.reference.markdown import code, table
from specgen.schemas import Schema, Schemas

_HEAD = ("key", "meaning", "type", "unit", "when left out")


def properties_table(schema: Schema, schemas: Schemas) -> str:
    """One row a key, with the keys of maps inside it; empty without keys."""
    rows = list(_rows(schema, schemas, ""))
    return table(_HEAD, rows) if rows else ""


def _rows(schema: Schema, schemas: Schemas, prefix: str) -> Iterator[tuple[str, ...]]:
    required = schema.get("required", ())
    for key, part in schema.get("properties", {}).items():
        if key == "type" and not prefix and "const" in schemas.view(part):
            continue
        words = property_text(part, schemas, required=key in required)
        name = f"{prefix}{key}"
        yield code(name), words.description, words.shape, words.unit, _left_out(words)
        yield from _inside(part, schemas, name)


def _inside(part: Schema, schemas: Schemas, name: str) -> Iterator[tuple[str, ...]]:
    """Keys of a map that is no component, and of the maps in a list."""
    view = schemas.view(part)
    if "x-kind" in view:
        return
    if "properties" in view:
        yield from _rows(view, schemas, f"{name}.")
    items = view.get("items")
    if isinstance(items, dict):
        inner = schemas.view(items)
        if "properties" in inner and "x-kind" not in inner:
            yield from _rows(inner, schemas, f"{name}.0.")


def _left_out(words: PropertyText) -> str:
    if words.required:
        return "**needed**"
    if words.derived:
        return f"derived: {words.derived[:1].lower()}{words.derived[1:]}"
    return code(words.default) if words.default is not None else ""
