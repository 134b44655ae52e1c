"""`specgen new`: the spec that it writes builds, and so it does with every hint taken."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


def uncommented(path: Path) -> None:
    """Takes the `# ` away from the lines below the explanation, as a user may."""
    head, mark, hints = path.read_text(encoding="utf-8").partition("\n#\n# march")
    assert mark
    path.write_text(head + "\n" + re.sub(r"(?m)^# ", "", f"# march{hints}"), encoding="utf-8")


def test_where_specs_are_it_names_its_parent(run: Run, specs: Path) -> None:
    done = run("new", "mine", "--from", "specs/bev_ipm_tiny.yaml")
    assert (done.status, done.out) == (0, "specs/mine.yaml\n")
    assert done.err == "hint: change it, then `specgen build specs/mine.yaml`\n"
    lines = (specs / "mine.yaml").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# yaml-language-server: $schema=")
    assert lines[3:5] == ["name: mine", "extends: bev_ipm_tiny.yaml"]
    assert "#   bev_size: [32.0, 32.0, 1.0]  # half range in y, half range in x, metres per cell" in lines
    built = run("build", "specs/mine.yaml")
    assert (built.status, built.out) == (0, "experiments/mine\n")


@pytest.mark.parametrize("parent", ["bev_ipm", "bev_ipm_tiny"])
def test_with_every_hint_taken_it_is_valid_and_changes_the_backbone(run: Run, parent: str) -> None:
    assert run("new", "mine", "--from", parent).status == 0
    plain = run("diff", parent, "specs/mine.yaml").out
    assert plain.startswith(
        f"{parent} -> specs/mine.yaml\n\nWritten\n  name: {parent} -> mine  specs/mine.yaml:4\n"
    )
    assert plain.endswith("\nNothing follows from it\n")
    uncommented(Path("specs/mine.yaml"))
    assert run("validate", "specs/mine.yaml").status == 0
    written = run("diff", parent, "specs/mine.yaml").out.partition("\n\nWhat follows")[0]
    # All but the backbone are the values of today.
    assert re.findall(r"(?m)^  ([a-z_.]+):", written) == ["name", "model.backbone"]


def test_without_a_checkout_what_it_extends_comes_along(run: Run) -> None:
    done = run("new", "mine")
    copied = ", which it extends, is a copy of the spec that comes with specgen\n"
    assert done.err == (
        f"`specs/bev_ipm_tiny.yaml`{copied}`specs/bev_ipm.yaml`{copied}"
        "hint: change it, then `specgen build specs/mine.yaml`\n"
    )
    assert sorted(path.name for path in Path("specs").iterdir()) == [
        "bev_ipm.yaml",
        "bev_ipm_tiny.yaml",
        "mine.yaml",
    ]
    assert run("build", "specs/mine.yaml").status == 0
    again = run("new", "second")
    assert (again.status, again.err) == (0, "hint: change it, then `specgen build specs/second.yaml`\n")
    for name in ("mine", "second"):
        assert "\nextends: bev_ipm_tiny.yaml\n" in Path(f"specs/{name}.yaml").read_text(encoding="utf-8")


def test_a_spec_of_the_users_own_can_be_the_parent(run: Run) -> None:
    run("new", "first")
    assert run("new", "second", "--from", "specs/first.yaml").status == 0
    assert "\nextends: first.yaml\n" in Path("specs/second.yaml").read_text(encoding="utf-8")
    assert run("validate", "specs/second.yaml").status == 0


def test_nothing_is_overwritten(run: Run) -> None:
    run("new", "mine")
    before = Path("specs/mine.yaml").read_text()
    done = run("new", "mine")
    assert (done.status, done.out) == (1, "")
    assert (
        done.err == "error: `specs/mine.yaml` exists already\nhint: choose another name, or edit that file\n"
    )
    assert Path("specs/mine.yaml").read_text() == before


def test_an_older_copy_of_the_parent_stays(run: Run) -> None:
    Path("specs").mkdir()
    Path("specs/bev_ipm.yaml").write_text("name: mine\n")
    done = run("new", "mine")
    assert done.status == 1
    assert done.err == (
        "error: `specs/bev_ipm.yaml` exists already\nhint: move it away, or name it with `--from`\n"
    )
    assert [path.name for path in Path("specs").iterdir()] == ["bev_ipm.yaml"]


@pytest.mark.parametrize(
    "name", ["Mine", "my-spec", "../mine", "a/b", "1st", "", "a" * 65, "mine.yaml", "a\nb"]
)
def test_a_name_is_checked(run: Run, name: str) -> None:
    done = run("new", "--", name)
    shown = name.replace("\n", "?")
    assert (done.status, done.err) == (
        1,
        f"error: `{shown}` is no name for a spec\n"
        "hint: use lower-case letters, digits and `_`, starting with a letter, at most 64\n",
    )
    assert not Path("specs").exists()


def test_the_names_of_ready_specs_are_taken(run: Run) -> None:
    done = run("new", "bev_ipm")
    assert (
        done.err
        == "error: `bev_ipm` is the name of a spec that comes with specgen\nhint: choose another name\n"
    )
    assert not Path("specs").exists()


def test_in_a_checkout_the_second_of_one_name_is_told_what_is_there(
    run: Run, specs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "specgen.locate.ready_specs", lambda: {path.stem: path for path in specs.glob("*.yaml")}
    )
    assert run("new", "mine").status == 0
    done = run("new", "mine")
    assert (done.status, done.err) == (
        1,
        "error: `specs/mine.yaml` exists already\nhint: choose another name, or edit that file\n",
    )


def test_a_parent_that_is_wrong_is_told(run: Run) -> None:
    assert run("new", "mine", "--from", "nope").err.startswith("error: the spec `nope` does not exist\n")
    Path("wrong.yaml").write_text("name: wrong\n")
    done = run("new", "mine", "--from", "wrong.yaml")
    assert done.status == 1 and "wrong.yaml:1:1: error[E103]" in done.err
    assert not Path("specs").exists()


def test_a_parent_of_a_strange_name(run: Run, specs: Path) -> None:
    parent = specs / "a #b: c.yaml"
    parent.write_text((specs / "bev_ipm_tiny.yaml").read_text())
    assert run("new", "q", "--from", "specs/a #b: c.yaml").status == 0
    lines = (specs / "q.yaml").read_text().splitlines()
    assert lines[4] == 'extends: "a #b: c.yaml"'
    assert lines[8] == (
        "# `specgen diff 'specs/a #b: c.yaml' specs/q.yaml` shows your changes and what follows from them."
    )
    assert run("validate", "specs/q.yaml").err == "`specs/q.yaml` is valid: experiment `q`\n"
