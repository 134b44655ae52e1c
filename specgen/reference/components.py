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
        title = f"`{example.place}` of [{example.spec}](../../{example.spec}):"
        return [*parts, title, block(example.text, "yaml")]
    return [*parts, "No ready spec uses it."]
