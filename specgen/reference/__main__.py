"""`python -m specgen.reference` writes what is out of date in `docs/reference/`; `--check` only names it."""

from __future__ import annotations

import sys
from pathlib import Path

from specgen.reference import pages
from specgen.reference.markdown import HEADER

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reference"


def outdated(folder: Path) -> dict[Path, str | None]:
    """Pages that are missing or different, with the text that each should have; None for those to remove."""
    wanted = pages()
    stale: dict[Path, str | None] = {
        folder / name: text for name, text in wanted.items() if _text(folder / name) != text
    }
    for path in sorted(folder.glob("*.md")):
        if path.name not in wanted and (_text(path) or "").startswith(HEADER):
            stale[path] = None
    return stale


def main(arguments: list[str], folder: Path = FOLDER) -> int:
    """Writes what is out of date; with `--check` only names it and returns 1 when there is any."""
    stale = outdated(folder)
    for path, text in stale.items():
        print(path)
        if "--check" in arguments:
            continue
        if text is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return 1 if stale and "--check" in arguments else 0


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
