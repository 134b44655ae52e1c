"""Finding schemas, templates and specs in a checkout and in an installed wheel."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from specgen import __version__, locate

ROOT = Path(__file__).resolve().parents[2]


def test_in_a_checkout() -> None:
    assert locate.data_root() == ROOT
    assert list(locate.ready_specs()) == ["bev_ipm", "bev_ipm_tiny"]


def test_as_installed_and_incomplete(tmp_path: Path) -> None:
    """A copy of the package with `_data` beside it, as the wheel has it, builds the same experiment."""
    site = tmp_path / "site"
    shutil.copytree(ROOT / "specgen", site / "specgen", ignore=shutil.ignore_patterns("__pycache__", "_data"))
    script = "from specgen import locate; print(locate.data_root())"

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(site)}
        return subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True
        )

    assert "the installation is incomplete" in run("-c", script).stderr
    for name in ("schemas", "templates", "specs"):
        shutil.copytree(ROOT / name, site / "specgen" / "_data" / name)
    marches = Path("runtime") / "bpu" / "marches"
    shutil.copytree(ROOT / marches, site / marches)
    assert run("-c", script).stdout.strip() == str(site / "specgen" / "_data")
    built = run("-m", "specgen", "build", "bev_ipm_tiny")
    assert built.returncode == 0, built.stderr
    for path in (ROOT / "experiments" / "bev_ipm_tiny").rglob("*.py"):
        if "runs" not in path.parts:
            copy = (
                tmp_path
                / "experiments"
                / "bev_ipm_tiny"
                / path.relative_to(ROOT / "experiments" / "bev_ipm_tiny")
            )
            assert copy.read_bytes() == path.read_bytes()


def test_the_version_is_that_of_the_package() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == __version__
