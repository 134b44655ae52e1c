"""The page of a spec's sections, and of those that are no component."""

from __future__ import annotations

from specgen.reference.markdown import page
from specgen.reference.properties import properties_table
from specgen.schemas import Schemas


def sections_page(schemas: Schemas) -> str:
    """The text of `spec.md`."""
    top = schemas.top
    language = "How `extends`, `vars` and `${name}` work is in [the spec](../spec.md)."
    return page("# spec", str(top.get("description", "")), properties_table(top, schemas), language)
