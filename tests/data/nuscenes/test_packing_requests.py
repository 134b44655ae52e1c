"""What is packed for a version and a split, and requests that cannot be met: nothing is written for them."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from runtime.data.nuscenes.pack import pack
from runtime.errors import RunError


def test_custom_splits_and_unknown_ones(world: Any, tmp_path: Path):
    copy = world.copy_to(tmp_path / "world")
    scenes = json.loads((copy.root / copy.version / "scene.json").read_text())
    (copy.root / copy.version / "splits.json").write_text(json.dumps({"mine": [scenes[0]["name"]]}))
    manifest = pack(copy.root, tmp_path / "out", version=copy.version, split="mine", workers=1)
    assert manifest.scene_split == "mine" and len(manifest.samples) == 3
    with pytest.raises(RunError) as caught:
        pack(copy.root, tmp_path / "out", version=copy.version, split="mini_val", workers=1)
    assert f"version `{copy.version}` has no split `mini_val`\nhint: splits here: " in str(caught.value)
    assert "train" in str(caught.value) and "mine" in str(caught.value)


def test_train_of_a_mini_version_is_mini_train(world: Any, tmp_path: Path):
    copy = world.copy_to(tmp_path / "world")
    tables = copy.root / "v1.0-mini"
    shutil.move(copy.root / copy.version, tables)
    (tables / "splits.json").unlink(missing_ok=True)
    scenes = json.loads((tables / "scene.json").read_text())
    scenes[0]["name"] = "scene-0061"
    (tables / "scene.json").write_text(json.dumps(scenes))
    manifest = pack(copy.root, tmp_path / "out", version="v1.0-mini", split="train", workers=1)
    assert (manifest.split, manifest.scene_split, len(manifest.samples)) == ("train", "mini_train", 3)


def test_missing_and_broken_tables_are_named(world: Any, tmp_path: Path):
    with pytest.raises(RunError) as caught:
        pack(tmp_path, tmp_path / "out", version="v1.0-trainval", split="train")
    assert str(caught.value).startswith(
        f"{tmp_path}/v1.0-trainval: error: no nuScenes tables of version `v1.0-trainval`\nhint: "
    )
    copy = world.copy_to(tmp_path / "world")
    table = copy.root / copy.version / "ego_pose.json"
    table.write_text(table.read_text()[:-20])
    with pytest.raises(RunError, match=r"table `ego_pose\.json` is no JSON"):
        pack(copy.root, tmp_path / "out", version=copy.version, split="train")
    table.unlink()
    with pytest.raises(RunError, match=r"tables are missing: `ego_pose\.json`"):
        pack(copy.root, tmp_path / "out", version=copy.version, split="train")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("version", ["../v1.0-trainval", "", "a/b"])
def test_a_version_is_one_name(world: Any, tmp_path: Path, version: str):
    with pytest.raises(RunError, match="is not the name of a version"):
        pack(world.root, tmp_path, version=version, split="train")
    assert list(tmp_path.iterdir()) == []


def test_tables_that_do_not_fit_together(world: Any, tmp_path: Path):
    copy = world.copy_to(tmp_path / "world")
    table = copy.root / copy.version / "scene.json"
    table.write_text('[{"token": "x"}]')
    with pytest.raises(RunError) as caught:
        pack(copy.root, tmp_path / "out", version=copy.version, split="train")
    assert str(caught.value) == (
        f"{table.parent}: error: the tables do not fit together: KeyError: 'name'\n"
        "hint: copy or unpack the tables again"
    )


def test_too_little_room_is_said_before_packing(world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("runtime.data.free_space.shutil.disk_usage", lambda path: SimpleNamespace(free=1000))
    with pytest.raises(
        RunError, match=r"about [0-9.]+ MB are needed and 0\.0 MB are free\nhint: choose another"
    ):
        pack(world.root, tmp_path, version=world.version, split="train", workers=1)
    assert not (tmp_path / world.version / "train_lmdb").exists()
