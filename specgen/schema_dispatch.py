"""Writes `schemas/<kind>.schema.json`, the dispatcher of a kind of component, from `schemas/<kind>/`.

Run `python -m specgen.schema_dispatch` after adding a component; with `--check` it only says what is out of
date. A dispatcher names the types and sends each to its own schema by if/then. `oneOf` would try all of them
and report why none fits, most of it about components that nobody meant.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

DRAFT = "https://json-schema.org/draft/2020-12/schema"
SUFFIX = ".schema.json"
FOLDER = Path(__file__).resolve().parent.parent / "schemas"


def kinds(folder: Path) -> list[str]:
    """The kinds of component: one subfolder each, sorted."""
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


def types(folder: Path, kind: str) -> list[str]:
    """The `type` names of a kind: one file each, sorted."""
    return sorted(path.name.removesuffix(SUFFIX) for path in (folder / kind).glob(f"*{SUFFIX}"))


def dispatcher(folder: Path, kind: str) -> str:
    """The text of `<kind>.schema.json`."""
    lines = [
        "{",
        f'  "$schema": "{DRAFT}",',
        f'  "title": "{kind}",',
        f'  "description": "A component of the kind `{kind}`, chosen by its `type`.",',
        '  "type": "object",',
        f'  "properties": {{"type": {{"enum": {json.dumps(types(folder, kind))}}}}},',
        '  "required": ["type"],',
        '  "allOf": [',
        ",\n".join(_branch(kind, name) for name in types(folder, kind)),
        "  ]",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _branch(kind: str, name: str) -> str:
    condition = {"properties": {"type": {"const": name}}, "required": ["type"]}
    return (
        "    {\n"
        f'      "if": {json.dumps(condition)},\n'
        f'      "then": {{"$ref": "{kind}/{name}{SUFFIX}"}}\n'
        "    }"
    )


def outdated(folder: Path) -> dict[Path, str]:
    """Dispatchers whose file is missing or different, with the text that each should have."""
    wanted = {folder / f"{kind}{SUFFIX}": dispatcher(folder, kind) for kind in kinds(folder)}
    return {
        path: text
        for path, text in wanted.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    }


def main(arguments: list[str], folder: Path = FOLDER) -> int:
    """Writes what is out of date; with `--check` only names it and returns 1 when there is any."""
    stale = outdated(folder)
    for path, text in stale.items():
        print(path)
        if "--check" not in arguments:
            path.write_text(text, encoding="utf-8")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
