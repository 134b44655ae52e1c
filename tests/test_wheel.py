"""The wheel, away from the checkout, carries schemas, templates and specs and builds an experiment."""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def clean_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel, and the dependencies of this one without its editable install.

    A path file of the new environment names this one's packages; path files found there are not followed, so
    the editable install of the checkout stays out of sight. No network is needed.
    """
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", str(folder), str(ROOT)], check=True)
    (wheel,) = folder.glob("specgen-*.whl")
    venv.create(folder / "env", with_pip=False)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = folder / "env" / "lib" / version / "site-packages"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(site)]
    subprocess.run([*install, str(wheel)], check=True)
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return folder / "env" / "bin" / "python"


def test_wheel_builds_a_spec_in_an_empty_folder(clean_python: Path, tmp_path: Path) -> None:
    where = [str(clean_python), "-c", "import specgen; print(specgen.__file__)"]
    package = Path(
        subprocess.run(where, capture_output=True, text=True, check=True, cwd=tmp_path).stdout.strip()
    )
    assert clean_python.parents[1] in package.parents
    spec = package.parent / "_data" / "specs" / "bev_ipm_tiny.yaml"
    build = [str(clean_python), "-m", "specgen", "build", str(spec), "--out", "built"]
    done = subprocess.run(build, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for name in ("model.py", "experiment.lock", "stages/float.py"):
        assert (tmp_path / "built" / name).is_file()
    # The same bytes as the checkout builds.
    here = [sys.executable, "-m", "specgen", "build", "bev_ipm_tiny", "--out", "here"]
    subprocess.run(here, check=True, capture_output=True, cwd=tmp_path)
    trees = [
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (tmp_path / "built", tmp_path / "here")
    ]
    assert trees[0] == trees[1]
