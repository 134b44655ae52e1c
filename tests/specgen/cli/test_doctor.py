"""`specgen doctor`: what it says of a healthy project, and of each way to be ill."""

from __future__ import annotations

import errno
import importlib.metadata
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from specgen import __version__
from specgen.doctor.check import Check
from specgen.doctor.text import as_text
from specgen.doctor.versions import Wanted, place_checks, version_checks, wanted

Run = Callable[..., Any]
EXPERIMENT = Path("experiments/bev_ipm_tiny")


@pytest.fixture
def built(run: Run, specs: Path) -> Iterator[Path]:
    """An experiment as it was built."""
    assert run("build", "specs/bev_ipm_tiny.yaml").status == 0
    yield EXPERIMENT


def findings(run: Run) -> dict[tuple[str, str], list[str]]:
    """Texts by (section, status)."""
    found: dict[tuple[str, str], list[str]] = {}
    for check in json.loads(run("doctor", "--json").out):
        found.setdefault((check["section"], check["status"]), []).append(check["text"])
    return found


def test_a_project_without_data(run: Run, built: Path) -> None:
    done = run("doctor")
    assert (done.status, done.err) == (0, "")
    environment, experiment = done.out.split("\n\n")[:2]
    assert re.fullmatch(
        r"environment\n"
        r"  ok       Python 3\.\d+\.\d+ \(in [<>=.,\d]+\)\n"
        r"  ok       \d+ packages in versions that specgen asks for\n"
        r"  ok       specgen \d\S+ from \S+\n"
        r"  ok       runtime from \S+\n"
        r"  ok       schemas, templates and specs from \S+\n"
        r"  ok       torch \d.*",
        environment,
    )
    assert re.fullmatch(
        r"experiments/bev_ipm_tiny\n"
        r"  ok       the lock is true: \d+ files, 2 specs, \d+ schemas, \d+ templates\n"
        r"  warning  no pack at `tmp_data/nuscenes/v1\.0-trainval/train_lmdb`\n"
        r"           hint: make it with `specgen data pack --split-name train --version \S+ \.\.\.`\n"
        r"  warning  no pack at `tmp_data/nuscenes/v1\.0-trainval/val_lmdb`\n"
        r"           hint: make it with `specgen data pack --split-name val --version \S+ \.\.\.`",
        experiment,
    )
    assert done.out.endswith("\n\n2 warnings\n")


def test_without_an_experiment(run: Run) -> None:
    done = run("doctor")
    assert done.status == 0
    assert (
        "\nexperiments\n  warning  none here\n           hint: make one with `specgen build SPEC`\n"
        in done.out
    )


def test_edited_and_missing_files(run: Run, built: Path) -> None:
    (built / "model.py").write_text((built / "model.py").read_text() + "# mine\n")
    (built / "data.py").unlink()
    done = run("doctor")
    assert done.status == 1
    assert (
        "  error    edited by hand: `model.py`; missing: `data.py`\n"
        "           hint: move edits to the spec, then `specgen build specs/bev_ipm_tiny.yaml --force`\n"
    ) in done.out
    assert done.out.endswith("\n\n1 error, 2 warnings\n")


def test_a_spec_that_changed(run: Run, built: Path, specs: Path) -> None:
    (specs / "bev_ipm.yaml").write_text((specs / "bev_ipm.yaml").read_text() + "# more\n")
    done = run("doctor")
    assert done.status == 1
    assert "  error    changed since it was built: `specs/bev_ipm.yaml`\n" in done.out
    assert "           hint: build it again with `specgen build specs/bev_ipm_tiny.yaml`\n" in done.out


def edit_lock(built: Path, pattern: str, text: str) -> None:
    lock = built / "experiment.lock"
    changed, times = re.subn(pattern, text, lock.read_text(), count=1)
    assert times == 1
    lock.write_text(changed)


def test_schemas_templates_and_versions_of_another_build(run: Run, built: Path) -> None:
    edit_lock(built, r'("neck/BiFPN\.schema\.json" = )".*"', r'\1"sha256:0"')
    edit_lock(built, r'("stage\.py\.j2" = )".*"', r'\1"sha256:0"')
    edit_lock(built, r'(?m)^specgen = ".*"', 'specgen = "0.0.1"')
    found = findings(run)
    assert found[str(built), "error"] == [
        "schemas changed since it was built: `neck/BiFPN.schema.json`",
        "templates changed since it was built: `stage.py.j2`",
        f"built by specgen 0.0.1, and this is {__version__}",
    ]


def test_python_that_the_lock_does_not_know(run: Run, built: Path) -> None:
    (built / "json.py").write_text("")
    done = run("doctor")
    assert (
        "experiments/bev_ipm_tiny\n"
        "  error    Python that the lock does not know: `json.py`\n"
        "           hint: move it out of the folder\n"
        "  warning  no pack at "
    ) in done.out


def test_a_plugin_that_changed(run: Run, built: Path) -> None:
    (built / "experiment.lock").open("a").write('\n[plugins]\n"parts/net.py" = "sha256:0"\n')
    assert (
        "experiments/bev_ipm_tiny\n"
        "  error    changed since it was built: `parts/net.py`, of a plugin\n"
        "           hint: build it again with `specgen build specs/bev_ipm_tiny.yaml`\n"
        "  warning  no pack at "
    ) in run("doctor").out


def test_a_lock_that_cannot_be_read_leaves_the_others(
    run: Run, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("build", "specs/bev_ipm_tiny.yaml", "--set", "name=other").status == 0
    read_text = Path.read_text

    def refusing(path: Path, *arguments: Any, **named: Any) -> str:
        if path.parts[-2:] == ("bev_ipm_tiny", "experiment.lock"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return read_text(path, *arguments, **named)

    monkeypatch.setattr(Path, "read_text", refusing)
    done = run("doctor")
    assert done.status == 1
    assert (
        "experiments/bev_ipm_tiny\n"
        "  error    `experiment.lock` cannot be read: Permission denied\n"
        "           hint: make `experiment.lock` readable\n"
    ) in done.out
    assert "experiments/other\n  ok       the lock is true: " in done.out


@pytest.mark.parametrize(
    "text", ["not TOML", "[files]\n", "files = 3\n", "[files]\n'../../x' = 'sha256:0'\n", "\ud800"]
)
def test_a_lock_that_cannot_be_trusted(run: Run, built: Path, text: str) -> None:
    (built / "experiment.lock").write_bytes(text.encode(errors="surrogatepass"))
    done = run("doctor")
    assert done.status == 1
    assert re.search(r"  error    (`experiment\.lock` (cannot be read|lists no files)|missing: )", done.out)


def test_a_resolved_spec_that_cannot_be_read_is_an_edited_file(run: Run, built: Path) -> None:
    (built / "spec.yaml").write_text("data: [")
    done = run("doctor")
    assert done.status == 1
    assert "  error    edited by hand: `spec.yaml`\n" in done.out


def test_packs(run: Run, built: Path, packed_world: Any) -> None:
    shutil.copytree(packed_world.packs, "tmp_data/nuscenes")
    found = findings(run)
    assert found[str(built), "ok"][1:] == [
        f"pack `tmp_data/nuscenes/v1.0-trainval/{split}_lmdb`: {number} samples, {digest}"
        for split, number, digest in (
            (split, number, re.sub(r'.*"digest": "(\w{12}).*', r"\1", manifest.read_text(), flags=re.DOTALL))
            for split, number in (("train", 8), ("val", 4))
            for manifest in [Path(f"tmp_data/nuscenes/metas/v1.0-trainval-{split}.manifest.json")]
        )
    ]
    edit_lock(built, r"\Z", '\n[data]\n"val" = "0123456789ab"\n')
    (other,) = findings(run)[str(built), "error"]
    assert re.fullmatch(r"the data of `val` are \w{12}, and the lock has 0123456789ab", other)
    Path("tmp_data/nuscenes/metas/v1.0-trainval-val.manifest.json").write_text("{")
    (broken,) = findings(run)[str(built), "error"]
    assert broken.startswith(
        "the pack `tmp_data/nuscenes/v1.0-trainval/val_lmdb`: the manifest cannot be read: "
    )


def test_inside_an_experiment(run: Run, built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(built)
    assert findings(run)[".", "ok"][0].startswith("the lock is true: ")


def test_versions_that_do_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    jinja = importlib.metadata.version("jinja2")
    asked = Wanted(
        SpecifierSet("<3"),
        (Requirement("jinja2>=99"), Requirement("jinja2"), Requirement("no-such-package>=1")),
    )
    checks = list(version_checks(asked))
    assert [check.status for check in checks] == ["error", "error", "ok", "error"]
    assert checks[0].text.endswith("(not in <3)")
    assert (checks[1].text, checks[1].hint) == (
        f"jinja2 {jinja} is installed, but >=99 is needed",
        "pip install 'jinja2>=99'",
    )
    assert (checks[3].text, checks[3].hint) == (
        "no-such-package is not installed",
        "pip install 'no-such-package>=1'",
    )


def test_what_is_asked_for_is_that_of_pyproject() -> None:
    names = {item.name for item in wanted().packages}
    assert {"torch", "PyYAML", "typer", "packaging"} <= names
    assert not {"pytest", "ruff", "mypy"} & names


def test_without_pyproject_the_installed_package_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("specgen.locate.data_root", lambda: tmp_path)
    names = {item.name for item in wanted().packages}
    assert {"torch", "jinja2", "typer"} <= names
    assert "pytest" not in names


def test_a_runtime_from_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "runtime").mkdir()
    (tmp_path / "runtime" / "__init__.py").touch()

    class Spec:
        origin = str(tmp_path / "runtime" / "__init__.py")

    monkeypatch.setattr("importlib.util.find_spec", lambda name: Spec)
    assert [check.text for check in place_checks() if check.status == "error"] == [
        f"runtime from {tmp_path.resolve() / 'runtime'}, which is not beside specgen"
    ]
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert [check.text for check in place_checks() if check.status == "error"] == [
        "`runtime` cannot be imported"
    ]


def test_a_torch_that_cannot_be_imported(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins

    real = builtins.__import__

    def broken(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "torch":
            raise OSError("libcudart.so: cannot open shared object file")
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", broken)
    done = run("doctor")
    assert done.status == 1
    assert (
        "  error    torch cannot be imported: OSError: libcudart.so: cannot open shared object file\n"
        in done.out
    )


def test_all_is_well() -> None:
    checks = [Check("environment", "ok", "a 1", quiet=True), Check("environment", "ok", "b 2", quiet=True)]
    assert as_text(checks, 80) == (
        "environment\n  ok       2 packages in versions that specgen asks for\n\nall is well\n"
    )


def test_one_is_counted_in_the_singular(run: Run, specs: Path) -> None:
    assert run("build", "specs/bev_ipm.yaml").status == 0
    assert ", 1 spec, " in findings(run)["experiments/bev_ipm", "ok"][0]
