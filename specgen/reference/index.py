"""The first page: what there is."""

from __future__ import annotations

from specgen.reference.markdown import code, page, table
from specgen.schemas import Schemas


def index_page(schemas: Schemas) -> str:
    """The text of `README.md`."""
    rows = [
        (f"[{kind}]({kind}.md)", ", ".join(code(name) for name in schemas.types(kind)))
        for kind in schemas.kinds()
    ]
    return page(
        "# Reference",
        "Generated from the schemas, the rules and the help of the commands: `make docs` writes it.",
        "- [Sections of a spec](spec.md)\n- [Codes of messages](errors.md)\n- [Commands](commands.md)",
        table(("kind of component", "types"), rows),
    )
