"""`specgen list`: what a spec can be made of."""

from __future__ import annotations

import sys
from typing import Annotated

import typer


def list_components(
    kind: Annotated[str | None, typer.Argument(help="only this kind, such as `backbone`")] = None,
) -> None:
    """List the components of each kind, each with what it is."""
    from specgen import locate
    from specgen.did_you_mean import did_you_mean
    from specgen.schemas import read_schemas

    schemas = read_schemas(locate.schemas_folder())
    if kind is not None and kind not in schemas.kinds():
        there_are = f"there are {', '.join(f'`{k}`' for k in schemas.kinds())}"
        hint = did_you_mean(kind, schemas.kinds()) or there_are
        print(f"error: there is no kind of component `{kind}`\nhint: {hint}", file=sys.stderr)
        raise typer.Exit(1)
    for name in [kind] if kind is not None else schemas.kinds():
        print(name)
        for type_name in schemas.types(name):
            component = schemas.component(name, type_name) or {}
            note = "" if "x-class" in component else " (checked in specs, not run by this version)"
            print(f"  {type_name:<36} {component.get('description', '')}{note}")
