"""`specgen explain`: what a code means, what a place of the spec is."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from specgen.cli.columns import columns
from specgen.cli.spec_argument import Format, reported, spec_path

if TYPE_CHECKING:
    from specgen.document import Path
    from specgen.pipeline import CompiledSpec
    from specgen.schemas import Schemas
    from specgen.spec_places import Place

_CODE = re.compile(r"[Ee][0-9]{3}\Z")
_LIKE_CODE = re.compile(r"[Ee][0-9IlOo]{1,4}\Z")  # a digit too few or too many, or a letter in its place
_MOST_PLACES = 4


def explain(
    subject: Annotated[
        str | None,
        typer.Argument(
            help="a code such as `E201`, a place such as `model.backbone.model_type`, or a component; "
            "without it all codes are listed"
        ),
    ] = None,
    spec: Annotated[
        str | None, typer.Option("--spec", metavar="SPEC", help="also say what the place is in this spec")
    ] = None,
) -> None:
    """Explain a code of a message, a place of the spec, or a component."""
    from specgen.codes import entries
    from specgen.codes.text import code_text, codes_text

    is_code = subject is not None and _CODE.match(subject)
    if spec is not None and (subject is None or is_code):
        raise typer.BadParameter("`--spec` goes with a place, such as `model.backbone.model_type`")
    if subject is None:
        print(codes_text(columns()))
    elif is_code:
        code = subject.upper()
        if code not in entries():
            raise _unknown(f"there is no code `{code}`", "`specgen explain` lists all codes")
        print(code_text(code, columns()))
    else:
        print(_place_or_component(subject, spec))


def _place_or_component(subject: str, spec: str | None) -> str:
    from specgen import locate
    from specgen.place_text import component_text, kind_text, place_text
    from specgen.schemas import read_schemas
    from specgen.spec_places import NoSuchPlace, parsed, places

    compiled_spec = _compiled(spec) if spec is not None else None
    # A spec's own schemas are those of its plugins as well.
    schemas = compiled_spec.schemas if compiled_spec else read_schemas(locate.schemas_folder())
    path = parsed(subject)
    try:
        found = places(path, schemas)
    except NoSuchPlace as error:
        named = [(kind, name) for kind in schemas.kinds() for name in schemas.types(kind) if name == subject]
        if named:
            return "\n\n".join(component_text(kind, name, schemas, columns()) for kind, name in named)
        if subject in schemas.kinds():
            return kind_text(subject, schemas, columns())
        raise _unknown(str(error), _hint(subject, error.hint, schemas)) from None
    if compiled_spec is None:
        return place_text(path, found, schemas, columns())
    return _in_spec(path, found, spec or "", compiled_spec)


def _compiled(spec: str) -> CompiledSpec:
    from specgen.pipeline import compiled

    return reported(lambda sources: compiled(spec_path(spec), sources), Format.text, consequence="")


def _in_spec(path: Path, found: list[Place], spec: str, compiled_spec: CompiledSpec) -> str:
    """The place, and below it what it is in one spec."""
    from specgen.place_text import place_text, value_lines

    root = compiled_spec.root
    here = [place for place in found if all(root.plain_at(*at, "type") == name for at, name in place.types)]
    lines = value_lines(spec, path, root.get(*path), root, columns())
    text = place_text(path, here or found, compiled_spec.schemas, columns())
    return text + "\n\n" + "\n".join(lines)


def _hint(subject: str, hint: str | None, schemas: Schemas) -> str | None:
    """The hint of an unknown place; a single word may be a component or a key of some."""
    from specgen.did_you_mean import close_to
    from specgen.place_text import places_of_key

    if "." in subject or (hint or "").startswith("did you mean"):
        return hint
    if at := places_of_key(subject, schemas):
        return (
            f"it is a key of components: ask for {' or '.join(f'`{place}`' for place in at[:_MOST_PLACES])}"
        )
    if _LIKE_CODE.match(subject):
        return "codes are `E` and three digits; `specgen explain` lists them"
    meant = close_to(subject, [name for kind in schemas.kinds() for name in (kind, *schemas.types(kind))])
    return f"did you mean `{meant}`?" if meant else hint


def _unknown(message: str, hint: str | None) -> typer.Exit:
    print(f"error: {message}" + (f"\nhint: {hint}" if hint else ""), file=sys.stderr)
    return typer.Exit(1)
