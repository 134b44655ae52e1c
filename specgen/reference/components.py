"""The page of a kind: its components with their keys, and how a ready spec writes them."""

from __future__ import annotations

from collections.abc import Mapping

from specgen.reference.examples import Shown
from specgen.reference.markdown import block, code, page
from specgen.reference.properties import properties_table
from specgen.schemas import Schemas
from specgen.spec_places import component_places


def kind_page(kind: str, schemas: Schemas, shown: Mapping[tuple[str, str], Shown]) -> str:
    """The text of `<kind>.md`."""
    places = component_places(schemas).get(kind, [])
    parts = [f"# {kind}"]
    if places:
        parts.append(f"Stands at {', '.join(map(code, places))}.")
    for name in schemas.types(kind):
        parts += _component(kind, name, schemas, shown.get((kind, name)))
    return page(*parts)


def _component(kind: str, name: str, schemas: Schemas, example: Shown | None) -> list[str]:
    component = schemas.component(kind, name) or {}
    made = component.get("x-class")
    runs = f"Made by {code(made)}." if made else "Checked in specs; this version has nothing that runs it."
    keys = properties_table(component, schemas) or "It has no keys besides `type`."
    parts = [f"## {name}", str(component.get("description", "")), keys, runs]
    if example is not None:
        return [*parts, _title(example), block(example.text, "yaml")]
    return [*parts, "No ready spec uses it."]


def _title(example: Shown) -> str:
    """Where an example is from, and what is left out in it."""
    shortened = ", components inside it shortened to their `type`" if example.shortened else ""
    link = f"[{example.file}](../../{example.file})"
    if example.file.endswith(".md"):
        return f"In place of another at `{example.place}`, as {link} tells{shortened}:"
    return f"`{example.place}` of {link}{shortened}:"
