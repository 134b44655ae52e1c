"""`specgen new`: a spec to start from."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from specgen import locate
from specgen.cli.spec_argument import Format, reported, spec_path
from specgen.printable import printable

SPECS_FOLDER = "specs"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")


def new(
    name: Annotated[str, typer.Argument(help="name of the spec and of its experiment")],
    parent: Annotated[
        str, typer.Option("--from", metavar="SPEC", help="spec to start from")
    ] = "bev_ipm_tiny",
) -> None:
    """Write a spec that starts from another one: `specs/NAME.yaml`."""
    from specgen.diff.side import spec_side
    from specgen.start import new_spec

    if not _NAME.match(name):
        raise _refused(
            f"`{printable(name)}` is no name for a spec",
            "use lower-case letters, digits and `_`, starting with a letter, at most 64",
        )
    target = Path(SPECS_FOLDER) / f"{name}.yaml"
    if target.exists() or target.is_symlink():
        raise _refused(f"`{target}` exists already", "choose another name, or edit that file")
    if name in locate.ready_specs():
        raise _refused(f"`{name}` is the name of a spec that comes with specgen", "choose another name")
    source = spec_path(parent)
    side = reported(lambda sources: spec_side(source, sources, (), name=parent), Format.text)
    needed = _copies(source)
    beside = Path(SPECS_FOLDER) / source.name if needed else source
    copies = {path: content for path, content in needed.items() if not _holds(path, content)}
    taken = next((path for path in copies if path.exists() or path.is_symlink()), None)
    if taken is not None:
        raise _refused(f"`{taken}` exists already", "move it away, or name it with `--from`")
    text = new_spec(
        name,
        extends=Path(os.path.relpath(beside, SPECS_FOLDER)).as_posix(),
        schema=_schema(),
        parent=side.written,
        parent_name=parent,
    )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for path, content in copies.items():
            _write_new(path, content)
        _write_new(target, text)
    except OSError as error:
        raise _refused(f"cannot write `{error.filename or target}`: {error.strerror}", None) from None
    for path in copies:
        print(f"`{path}`, which it extends, is a copy of the spec that comes with specgen", file=sys.stderr)
    print(target)
    print(f"hint: change it, then `specgen build {target}`", file=sys.stderr)


def _copies(source: Path) -> dict[Path, str]:
    """What has to lie beside it for `extends` to name it: specs of an installation, and those they extend.

    In a checkout, and for a spec of the user's own, nothing: the new spec names the file where it lies.
    """
    ready = (locate.data_root() / SPECS_FOLDER).resolve()
    if source.resolve().parent != ready or ready == Path(SPECS_FOLDER).resolve():
        return {}
    from specgen.extends import load_chain
    from specgen.sources import Sources

    sources = Sources()
    load_chain(source, source.name, sources)
    return {Path(SPECS_FOLDER) / Path(file).name: text for file, text in sources.texts.items()}


def _holds(path: Path, text: str) -> bool:
    """Whether the copy is there already, from an earlier `specgen new`."""
    return path.is_file() and path.read_bytes() == text.encode()


def _schema() -> str:
    """Where an editor finds the schema: beside the specs in a checkout, else in the installation."""
    schema = locate.schemas_folder() / "spec.schema.json"
    beside = Path("schemas") / schema.name
    if beside.is_file() and beside.resolve() == schema.resolve():
        return Path(os.path.relpath(beside, SPECS_FOLDER)).as_posix()
    return schema.as_uri()


def _write_new(path: Path, text: str) -> None:
    with open(path, "x", encoding="utf-8", newline="\n") as file:
        file.write(text)


def _refused(message: str, hint: str | None) -> typer.Exit:
    print(f"error: {message}" + (f"\nhint: {hint}" if hint else ""), file=sys.stderr)
    return typer.Exit(1)
