"""A build gives the same bytes whatever the machine is set to, and leaves no trace of it in them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLAIN = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
# Each differs from the first in what it is called after.
SETTINGS: dict[str, dict[str, str]] = {
    "plain": {},
    "hash seed 0": {"PYTHONHASHSEED": "0"},
    "hash seed 4711": {"PYTHONHASHSEED": "4711"},
    "ASCII": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"},
    "Turkish": {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"},
    "German numbers": {"LC_ALL": "de_DE.ISO-8859-1"},
    "far east": {"TZ": "Pacific/Chatham"},
    "far west": {"TZ": "Etc/GMT+12", "SOURCE_DATE_EPOCH": "0"},
    "another user": {"HOME": "/nonexistent", "USER": "nobody", "LOGNAME": "nobody", "HOSTNAME": "elsewhere"},
    "optimised": {"PYTHONOPTIMIZE": "2"},
    "narrow terminal": {"COLUMNS": "20", "TERM": "dumb", "NO_COLOR": "1"},
}
SPEC = """name: same_bytes
extends: bev_ipm_tiny.yaml
data:
  train: {dataset: {data_path: "dät/資料/ı"}}
"""


def build(
    folder: Path, out: str, settings: dict[str, str], spec: str = "specs/same.yaml"
) -> dict[str, bytes]:
    """The files of a build that is started in `folder`."""
    command = [sys.executable, "-m", "specgen", "build", spec, "--out", out]
    done = subprocess.run(command, cwd=folder, env={**PLAIN, **settings}, capture_output=True)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    tree = folder / out
    return {p.relative_to(tree).as_posix(): p.read_bytes() for p in sorted(tree.rglob("*")) if p.is_file()}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "specs").mkdir()
    for path in (ROOT / "specs").glob("*.yaml"):
        (tmp_path / "specs" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "specs" / "same.yaml").write_text(SPEC, encoding="utf-8")
    return tmp_path


def test_settings_of_the_machine(project: Path) -> None:
    first = build(project, "plain", SETTINGS["plain"])
    assert len(first) > 8 and "dät/資料/ı".encode() in first["data.py"]
    for number, (name, settings) in enumerate(SETTINGS.items()):
        assert build(project, f"out{number}", settings) == first, name
    for name, content in first.items():
        for trace in (str(project), str(ROOT), os.environ.get("HOME") or "/nonexistent"):
            assert trace.encode() not in content.replace(b"#!/", b""), name


def test_where_it_is_started(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("a folder with spaces, and ünlaut")
    (other / "specs").symlink_to(project / "specs")
    assert build(other, "x", {}) == build(project, "x", {})
    # A ready spec is the same from everywhere, by name and by path.
    ready = str(ROOT / "specs" / "bev_ipm.yaml")
    assert (
        build(other, "y", {}, "bev_ipm")
        == build(project, "z", {}, ready)
        == build(ROOT, str(other / "w"), {}, ready)
    )


def test_over_an_older_build(project: Path) -> None:
    first = build(project, "x", {})
    (project / "specs" / "same.yaml").write_text(SPEC + "march: nash-e\n")
    assert build(project, "x", {}) != first
    (project / "specs" / "same.yaml").write_text(SPEC, encoding="utf-8")
    assert build(project, "x", {}) == first
