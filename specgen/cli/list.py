"""`specgen list`: what a spec can be made of."""

from __future__ import annotations

import json
import sys
import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

from specgen.cli.columns import columns

if TYPE_CHECKING:
    from specgen.schemas import Schemas

_NAME = 36
_LEAST = 36
"""Columns that a description takes at least, beside a name."""
_NOT_RUN = " (checked in specs, not run by this version)"


def list_components(
    kind: Annotated[str | None, typer.Argument(help="only this kind, such as `backbone`")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print kind, type, description as JSON")] = False,
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
    kinds = [kind] if kind is not None else schemas.kinds()
    print(_as_json(kinds, schemas) if as_json else _as_text(kinds, schemas))


def _as_json(kinds: list[str], schemas: Schemas) -> str:
    rows = [
        {
            "kind": kind,
            "type": name,
            "description": component.get("description", ""),
            "runs": "x-class" in component,
        }
        for kind in kinds
        for name in schemas.types(kind)
        if (component := schemas.component(kind, name))
    ]
    return json.dumps(rows, indent=2, ensure_ascii=False)


def _as_text(kinds: list[str], schemas: Schemas) -> str:
    """One line a component; on a terminal long descriptions go on below themselves."""
    lines = []
    for kind in kinds:
        lines.append(kind)
        for name in schemas.types(kind):
            component = schemas.component(kind, name) or {}
            note = "" if "x-class" in component else _NOT_RUN
            text = f"{component.get('description', '')}{note}"
            lines += _on_terminal(name, text, columns()) if _is_terminal() else [f"  {name:<{_NAME}} {text}"]
    return "\n".join(lines)


def _is_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()


def _on_terminal(name: str, text: str, width: int) -> list[str]:
    """Beside the name where there is room for a text, else below it."""
    if width < _NAME + _LEAST:
        lines = textwrap.wrap(text, width, initial_indent="    ", subsequent_indent="    ")
        return [f"  {name}", *lines]
    hang = " " * (_NAME + 3)
    return textwrap.wrap(f"  {name:<{_NAME}} {text}", width, subsequent_indent=hang)
