"""`extends`: merging, and the ways in which it goes wrong."""

from pathlib import Path

import pytest

from specgen.diagnostic import SpecError
from specgen.document import Node
from specgen.extends import load_chain, merged
from specgen.sources import Sources


def write(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder / "child.yaml"


def result(folder: Path, **texts: str) -> Node:
    return merged(load_chain(write(folder, **texts), "child.yaml", Sources()))


def failure(folder: Path, **texts: str) -> str:
    with pytest.raises(SpecError) as caught:
        result(folder, **texts)
    (diagnostic,) = caught.value.diagnostics
    return f"{diagnostic.span.place} {diagnostic.code} {diagnostic.message}"


def test_maps_are_merged_lists_and_scalars_replaced(tmp_path: Path) -> None:
    root = result(
        tmp_path,
        base="a: {x: 1, y: [1, 2], z: {q: 1}}\nb: 1\n",
        child="extends: base.yaml\na: {y: [3], z: {r: 2}}\nc: 4\n",
    )
    assert root.plain() == {
        "a": {"x": 1, "y": [3], "z": {"q": 1, "r": 2}},
        "b": 1,
        "extends": "base.yaml",
        "c": 4,
    }
    assert root.at("a", "x").span.file == "base.yaml"
    assert root.at("a", "y").span.file == "child.yaml"


def test_another_type_replaces_the_whole_component(tmp_path: Path) -> None:
    root = result(
        tmp_path,
        base="m: {backbone: {type: a, only_a: 1}, neck: {type: n, k: 1}}\n",
        child="extends: base.yaml\nm: {backbone: {type: b, only_b: 2}, neck: {type: n, l: 2}}\n",
    )
    assert root.at("m").plain() == {
        "backbone": {"type": "b", "only_b": 2},
        "neck": {"type": "n", "k": 1, "l": 2},
    }


def test_null_leaves_out_a_stage_or_a_loader_of_the_parent(tmp_path: Path) -> None:
    root = result(
        tmp_path,
        base="stages: {float: {a: 1}, qat: {a: 1}}\ndata: {train: {a: 1}, val: {a: 1}}\nmodel: {a: 1}\n",
        child="extends: base.yaml\nstages: {qat: null, float: {a: null}}\n"
        "data: {val: null}\nmodel: {a: null}\n",
    )
    assert root.at("stages").plain() == {"float": {"a": None}}
    assert root.at("data").plain() == {"train": {"a": 1}}
    assert root.at("model").plain() == {"a": None}


def test_null_for_a_stage_that_no_parent_has_is_kept_to_be_reported(tmp_path: Path) -> None:
    root = result(tmp_path, base="stages: {qat: {a: 1}}\n", child="extends: base.yaml\nstages: {qta: null}\n")
    assert root.at("stages").plain() == {"qat": {"a": 1}, "qta": None}


def test_chain_of_three(tmp_path: Path) -> None:
    root = result(
        tmp_path,
        top="a: 1\nb: 1\nc: 1\n",
        base="extends: top.yaml\nb: 2\nc: 2\n",
        child="extends: base.yaml\nc: 3\n",
    )
    assert [root.plain_at(key) for key in "abc"] == [1, 2, 3]


def test_cycles_are_refused(tmp_path: Path) -> None:
    assert failure(tmp_path, base="extends: child.yaml\n", child="extends: base.yaml\n") == (
        "base.yaml:1:10 E011 a spec cannot extend itself: `child.yaml` -> `base.yaml` -> `child.yaml`"
    )
    assert failure(tmp_path, child="extends: ./child.yaml\n").startswith(
        "child.yaml:1:10 E011 a spec cannot extend"
    )


def test_a_cycle_through_a_link_is_seen(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").symlink_to("child.yaml")
    assert "cannot extend itself" in failure(tmp_path, child="extends: other.yaml\n")


@pytest.mark.parametrize("value", ["[a.yaml]", "''", "1", "/etc/hosts"])
def test_extends_is_one_relative_path(tmp_path: Path, value: str) -> None:
    assert failure(tmp_path, child=f"extends: {value}\n") == (
        "child.yaml:1:10 E011 `extends` is one path, relative to this file"
    )


def test_a_missing_parent_is_reported_where_it_is_named(tmp_path: Path) -> None:
    assert failure(tmp_path, child="a: 1\nextends: none.yaml\n") == (
        "child.yaml:2:10 E001 the file `none.yaml` does not exist"
    )


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("none.yaml", None),
        ("../none.yaml", None),
        ("moter.yaml", "did you mean `mother.yaml`?"),
        ("./parts/fathr.yaml", "did you mean `parts/father.yaml`?"),
        ("chil.yaml", None),  # the spec itself
        (
            "bev_ipm_tiny.yaml",
            "`bev_ipm_tiny` comes with specgen: `specgen new NAME --from bev_ipm_tiny` puts a copy beside "
            "the new spec",
        ),
        (
            "bev_imp",
            "`bev_ipm` comes with specgen: `specgen new NAME --from bev_ipm` puts a copy beside the new spec",
        ),
        ("x" * 5000, None),
    ],
)
def test_what_was_probably_meant(tmp_path: Path, asked: str, hint: str | None) -> None:
    (tmp_path / "parts").mkdir()
    for name in ("mother.yaml", "parts/father.yaml"):
        (tmp_path / name).write_text("a: 1\n")
    (tmp_path / "child.yaml").write_text(f"extends: {asked}\n")
    with pytest.raises(SpecError) as caught:
        load_chain(tmp_path / "child.yaml", "child.yaml", Sources())
    (found,) = caught.value.diagnostics
    assert (found.code, found.hint) == ("E001", hint)


def test_files_that_are_no_specs(tmp_path: Path) -> None:
    assert failure(tmp_path, child="# nothing\n").endswith("E020 the spec is empty")
    assert "E020 a spec is a map" in failure(tmp_path, child="- a\n")
    (tmp_path / "child.yaml").write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(SpecError, match=r"child\.yaml:2:1: the byte 0xff is not UTF-8"):
        load_chain(tmp_path / "child.yaml", "child.yaml", Sources())
    with pytest.raises(SpecError, match="is a folder, not a spec"):
        load_chain(tmp_path, "here", Sources())
