"""`specgen build --lock-data` on a packed world: the lock pins its packs, and `run` holds them to it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def project(packed_world: Any, tmp_path: Path) -> Path:
    """A project of its own with the packs of the test run."""
    shutil.copytree(packed_world.packs, tmp_path / "tmp_data" / "nuscenes")
    return tmp_path


def specgen(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "specgen", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=120)


def test_packs_are_pinned_kept_and_held(project: Path) -> None:
    lock = project / "experiments" / "bev_ipm_tiny" / "experiment.lock"
    assert specgen(project, "build", "bev_ipm_tiny").returncode == 0
    assert "[data]" not in lock.read_text()
    assert specgen(project, "build", "bev_ipm_tiny", "--lock-data").returncode == 0
    (table,) = [part for part in lock.read_text().split("\n\n") if part.startswith("[data]")]
    assert [line.partition(" = ")[0] for line in table.splitlines()[1:]] == [
        '"calibration"',
        '"train"',
        '"val"',
    ]
    # A build without the option keeps what is pinned.
    assert specgen(project, "build", "bev_ipm_tiny").stderr == "nothing to change\n"
    assert specgen(project, "build", "bev_ipm_tiny", "--check").returncode == 0
    manifest = project / "tmp_data" / "nuscenes" / "metas" / "v1.0-trainval-val.manifest.json"
    content = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**content, "digest": "0" * 64}))
    refused = specgen(project, "run", "--stage", "float")
    assert refused.returncode == 1
    assert "  the data of `val` are 000000000000, and the lock has " in refused.stderr


def test_without_packs_there_is_nothing_to_pin(tmp_path: Path) -> None:
    done = specgen(tmp_path, "build", "bev_ipm_tiny", "--lock-data")
    assert (done.returncode, done.stdout) == (1, "")
    assert "for `train`, `val`, `calibration`\nhint: `specgen data pack` makes them" in done.stderr
    assert not (tmp_path / "experiments").exists()
