"""The tutorials' commands, run as they stand, print what the pages show.

`UPDATE_GOLDEN=1 python -m pytest tests/test_tutorials.py` writes the outputs anew, but for blocks with `...`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
_BLOCK = re.compile(r"(?ms)^```(\w+)(?: (\S+))?\n(.*?)^```$")
_ANY = "..."


def specgen(arguments: str, folder: Path) -> str:
    """What a command prints, on 100 columns; errors and results as a terminal shows them together."""
    command = f"{sys.executable} -m specgen {arguments}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
    options = {"cwd": folder, "env": environment, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.run(command, shell=True, text=True, check=False, timeout=120, **options).stdout


def rerun(block: str, folder: Path) -> str:
    """A block of commands with what they print today."""
    commands = [line for line in block.splitlines() if line.startswith("$ ")]
    return "".join(f"{line}\n{specgen(line.removeprefix('$ specgen '), folder)}" for line in commands)


def fits(shown: str, printed: str) -> bool:
    """Whether a block is what was printed; a line `...` stands for any lines."""
    parts = re.split(rf"(?m)^{re.escape(_ANY)}\n", shown)
    return re.fullmatch("(?s)" + "(?:.*\n)?".join(map(re.escape, parts)), printed) is not None


def blocks(page: Path) -> Iterator[re.Match[str]]:
    yield from _BLOCK.finditer(page.read_text(encoding="utf-8"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with the ready specs."""
    (tmp_path / "specs").mkdir()
    for path in (ROOT / "specs").glob("*.yaml"):
        (tmp_path / "specs" / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_is_shown_is_what_is_printed(page: Path, project: Path) -> None:
    text = page.read_text(encoding="utf-8")
    if "```console" not in text:
        pytest.skip("its files are built by a test of their own")
    parts, end = [], 0
    for block in blocks(page):
        language, file, body = block.groups()
        parts.append(text[end : block.start()])
        end = block.end()
        if file is not None:
            (project / file).parent.mkdir(parents=True, exist_ok=True)
            (project / file).write_text(body, encoding="utf-8")
        if language != "console":
            parts.append(block.group())
            continue
        printed = rerun(body, project)
        if "UPDATE_GOLDEN" in os.environ and _ANY not in body.splitlines():
            parts.append(f"```console\n{printed}```")
            continue
        parts.append(block.group())
        assert fits(body, printed), f"{page.name} shows\n{body}\nand today it is\n{printed}"
    if "UPDATE_GOLDEN" in os.environ:
        page.write_text("".join([*parts, text[end:]]), encoding="utf-8")


def test_there_are_tutorials_with_commands() -> None:
    assert sum("```console" in page.read_text(encoding="utf-8") for page in PAGES) >= 1


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\n...\nc\n", "a\nb\nb\nc\n", True),
        ("a\n...\n", "a\n", True),
        ("a\n", "a\nb\n", False),
        ("a.c\n", "abc\n", False),
    ],
)
def test_dots_stand_for_any_lines(shown: str, printed: str, same: bool) -> None:
    assert fits(shown, printed) is same
