"""Running a command in this process, as a user in a folder of their own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from specgen.cli.commands import make_app

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(Path(__file__).parent))


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    status: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """`run("diff", "a.yaml", "b.yaml")` in an empty folder, on 100 columns."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def run_(*arguments: str) -> Done:
        capsys.readouterr()
        status: object = 0
        try:
            make_app(list(arguments))(list(arguments), prog_name="specgen")
        except SystemExit as end:
            status = end.code
        captured = capsys.readouterr()
        return Done(int(str(status or 0)), captured.out, captured.err)

    return run_


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    """A folder `specs/` with the ready specs in it, as a project has one."""
    folder = tmp_path / "specs"
    folder.mkdir()
    for path in (ROOT / "specs").glob("*.yaml"):
        (folder / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    return folder
