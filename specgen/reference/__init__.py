"""Writes `docs/reference/`: pages of all components, of the codes, and of the commands.

Everything on them is said elsewhere already: in the schemas, in the rules, in the help of the commands.
"""

from __future__ import annotations

from specgen import locate
from specgen.reference.commands import commands_page
from specgen.reference.components import kind_page
from specgen.reference.errors import errors_page
from specgen.reference.examples import examples
from specgen.reference.index import index_page
from specgen.reference.sections import sections_page
from specgen.schemas import read_schemas

__all__ = ["pages"]


def pages() -> dict[str, str]:
    """Text of each page, by file name."""
    schemas = read_schemas(locate.schemas_folder())
    shown = examples(schemas)
    return {
        "README.md": index_page(schemas),
        "spec.md": sections_page(schemas),
        "errors.md": errors_page(),
        "commands.md": commands_page(),
        **{f"{kind}.md": kind_page(kind, schemas, shown) for kind in schemas.kinds()},
    }
