"""Packing: what is in a pack, that it can be interrupted, and that damage is named."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from nuscenes import NuScenes

from runtime.data.nuscenes.pack import pack
from runtime.data.nuscenes.verify import verify
from runtime.data.pack_reader import PackReader
from runtime.errors import RunError
from runtime.geometry.camera import CAMERA_NAMES
from runtime.geometry.class_names import DETECTION_CLASSES
from runtime.geometry.frames import rotation_matrix

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def devkit(world: Any) -> NuScenes:
    return NuScenes(world.version, str(world.root), verbose=False)


class Steps:
    """A progress callback that remembers, and can stop the packing."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.seen: list[tuple[int, int, str]] = []
        self.stop_at = stop_at

    def __call__(self, done: int, total: int, text: str) -> None:
        self.seen.append((done, total, text))
        if text == "packing" and done == self.stop_at:
            raise KeyboardInterrupt

    @property
    def first_packed(self) -> int:
        """Samples that were there when packing began."""
        return next(done for done, _, text in self.seen if text == "packing")


def first_image(world: Any, devkit: NuScenes, split_scene: str, sample: int) -> tuple[Path, str]:
    """Path of the CAM_BACK image of a scene's n-th sample in a world, and the sample's token."""
    scene = next(s for s in devkit.scene if s["name"] == split_scene)
    token = scene["first_sample_token"]
    for _ in range(sample):
        token = devkit.get("sample", token)["next"]
    data = devkit.get("sample", token)["data"]["CAM_BACK"]
    return world.root / devkit.get("sample_data", data)["filename"], token


def train_scene(packed: Any) -> str:
    return PackReader(data_path=packed.train).record(0)["scene_name"]


def test_the_tree_is_that_of_the_reference(packed: Any):
    assert sorted(p.name for p in packed.target.iterdir()) == sorted(["metas", packed.version])
    assert sorted(p.name for p in (packed.target / packed.version).iterdir()) == ["train_lmdb", "val_lmdb"]
    assert [p.name for p in packed.train.iterdir()] == ["data.mdb"]
    maps = {p.name for p in (packed.target / "metas/maps").iterdir()}
    reader = PackReader(data_path=packed.train)
    assert {f"{reader.record(i)['location']}.json" for i in range(len(reader))} <= maps


def test_records_hold_what_the_devkit_says(packed: Any, devkit: NuScenes):
    reader = PackReader(data_path=packed.train)
    assert len(reader) == 6
    annotations = 0
    for index in range(len(reader)):
        record = reader.record(index)
        sample = devkit.get("sample", record["token"])
        scene = devkit.get("scene", sample["scene_token"])
        assert record["scene_name"] == scene["name"] and record["timestamp"] == sample["timestamp"]
        assert record["location"] == devkit.get("log", scene["log_token"])["location"]
        lidar = devkit.get("sample_data", sample["data"]["LIDAR_TOP"])
        pose = devkit.get("ego_pose", lidar["ego_pose_token"])
        assert record["ego2global"][:3, 3].tolist() == pose["translation"]
        np.testing.assert_array_equal(record["ego2global"][:3, :3], rotation_matrix(pose["rotation"]))
        for camera, name in zip(record["cameras"], CAMERA_NAMES, strict=True):
            data = devkit.get("sample_data", sample["data"][name])
            sensor = devkit.get("calibrated_sensor", data["calibrated_sensor_token"])
            camera_pose = devkit.get("ego_pose", data["ego_pose_token"])
            assert camera["channel"] == name and camera["timestamp"] == data["timestamp"]
            assert (camera["height"], camera["width"]) == (180, 320)
            assert camera["intrinsic"].tolist() == sensor["camera_intrinsic"]
            assert camera["cam2ego"][:3, 3].tolist() == sensor["translation"]
            assert camera["ego2global"][:3, 3].tolist() == camera_pose["translation"]
        boxes = record["boxes"]
        assert boxes["instance"], "a world without objects shows nothing"
        for i, instance in enumerate(boxes["instance"]):
            (annotation,) = (
                a
                for a in (devkit.get("sample_annotation", t) for t in sample["anns"])
                if a["instance_token"] == instance
            )
            assert boxes["translation"][i].tolist() == annotation["translation"]
            assert boxes["size"][i].tolist() == annotation["size"]
            assert boxes["rotation"][i].tolist() == annotation["rotation"]
            np.testing.assert_array_equal(boxes["velocity"][i], devkit.box_velocity(annotation["token"])[:2])
            assert boxes["num_lidar_pts"][i] == annotation["num_lidar_pts"]
            assert DETECTION_CLASSES[boxes["label"][i]].split("_")[0] in annotation["category_name"].replace(
                "trafficcone", "traffic_cone"
            )
            names = [devkit.get("attribute", t)["name"] for t in annotation["attribute_tokens"]]
            assert boxes["attribute"][i] == (names[0] if names else "")
            annotations += 1
        racks = [
            a
            for a in (devkit.get("sample_annotation", t) for t in sample["anns"])
            if a["category_name"] == "static_object.bicycle_rack"
        ]
        assert record["bike_racks"]["translation"].tolist() == [a["translation"] for a in racks]
        assert set(record["map_lines"]) == {"divider", "ped_crossing", "boundary"}
        assert len(record["map_lines"]["boundary"]) > 0
    assert annotations > 10


def test_images_are_kept_byte_for_byte(packed: Any, world: Any, devkit: NuScenes):
    reader = PackReader(data_path=packed.val)
    for index in range(len(reader)):
        sample = devkit.get("sample", reader.token(index))
        for data, name in zip(reader.images(index), CAMERA_NAMES, strict=True):
            file = devkit.get("sample_data", sample["data"][name])["filename"]
            assert data == (world.root / file).read_bytes()


def test_splits_share_no_sample_and_manifests_are_in_order_of_time(packed: Any):
    train, val = PackReader(data_path=packed.train), PackReader(data_path=packed.val)
    tokens = [reader.token(i) for reader in (train, val) for i in range(len(reader))]
    assert len(set(tokens)) == 9
    for index in range(len(train) - 1):
        one, other = train.record(index), train.record(index + 1)
        assert one["next"] == (other["token"] if one["scene_token"] == other["scene_token"] else "")


def test_the_same_source_gives_the_same_manifest_with_any_number_of_workers(
    packed: Any, world: Any, tmp_path: Path
):
    steps = Steps()
    manifest = pack(world.root, tmp_path, version=world.version, split="train", workers=2, progress=steps)
    assert manifest == PackReader(data_path=packed.train).manifest
    name = f"metas/{world.version}-train.manifest.json"
    assert (tmp_path / name).read_bytes() == (packed.target / name).read_bytes()
    assert steps.seen[0] == (0, 0, "reading tables")
    assert [done for done, total, text in steps.seen if text == "packing" and total == 6] == list(range(7))


def test_a_finished_pack_is_left_alone(packed: Any, world: Any):
    before = (packed.train / "data.mdb").stat()
    steps = Steps()
    pack(world.root, packed.target, version=world.version, split="train", workers=1, progress=steps)
    assert steps.seen[-1] == (6, 6, "up to date")
    after = (packed.train / "data.mdb").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_lost_manifest_is_written_again(packed: Any, world: Any, tmp_path: Path):
    copy = packed.copy_to(tmp_path / "copy")
    path = copy.target / "metas" / f"{world.version}-train.manifest.json"
    text = path.read_bytes()
    path.unlink()
    pack(world.root, copy.target, version=world.version, split="train", workers=1)
    assert path.read_bytes() == text


def test_interrupted_packing_keeps_what_is_done_and_goes_on(packed: Any, world: Any, tmp_path: Path):
    with pytest.raises(KeyboardInterrupt):
        pack(world.root, tmp_path, version=world.version, split="train", workers=1, progress=Steps(stop_at=4))
    folder = tmp_path / world.version
    assert [p.name for p in folder.iterdir()] == ["train_lmdb.partial"], "half-written in its place"
    with pytest.raises(RunError, match="packing was not finished"):
        PackReader(data_path=folder / "train_lmdb")
    steps = Steps()
    manifest = pack(world.root, tmp_path, version=world.version, split="train", workers=1, progress=steps)
    assert steps.first_packed == 4
    assert manifest == PackReader(data_path=packed.train).manifest
    assert [p.name for p in folder.iterdir()] == ["train_lmdb"]
    verify(folder / "train_lmdb")


KILLED = """
import os, signal, sys
def progress(done, total, text):
    if text == "packing" and done == 3:
        os.kill(os.getpid(), signal.SIGKILL)
if __name__ == "__main__":
    from runtime.data.nuscenes import pack_writer
    from runtime.data.nuscenes.pack import pack
    pack_writer._BATCH_BYTES = 0
    pack(sys.argv[1], sys.argv[2], version=sys.argv[3], split="train", workers=1, progress=progress)
"""


def test_killed_packing_goes_on_from_the_last_commit(packed: Any, world: Any, tmp_path: Path):
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    ended = subprocess.run(
        [sys.executable, str(script), str(world.root), str(tmp_path / "out"), world.version],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    steps = Steps()
    manifest = pack(
        world.root, tmp_path / "out", version=world.version, split="train", workers=1, progress=steps
    )
    assert steps.first_packed == 3
    assert manifest == PackReader(data_path=packed.train).manifest


def test_an_unfinished_pack_of_other_tables_is_started_again(world: Any, tmp_path: Path):
    copy = world.copy_to(tmp_path / "world")
    target = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        pack(copy.root, target, version=copy.version, split="train", workers=1, progress=Steps(stop_at=4))
    table = copy.root / copy.version / "sample_annotation.json"
    annotations = json.loads(table.read_text())
    for annotation in annotations:
        annotation["num_lidar_pts"] += 1
    table.write_text(json.dumps(annotations))
    steps = Steps()
    pack(copy.root, target, version=copy.version, split="train", workers=1, progress=steps)
    assert steps.first_packed == 0


def damage(path: Path, how: str) -> None:
    data = path.read_bytes()
    middle = len(data) // 2
    if how == "missing":
        path.unlink()
    elif how == "truncated":
        path.write_bytes(data[:middle])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "overwritten":
        path.write_bytes(data[:middle] + np.random.default_rng(0).bytes(512) + data[middle + 512 :])
    elif how == "other size":
        cv2.imwrite(str(path), np.zeros((90, 160, 3), np.uint8))


@pytest.mark.parametrize(
    "how, problem",
    [
        ("missing", "is missing"),
        ("truncated", "is no whole JPEG ({size} bytes)"),
        ("empty", "is no whole JPEG (0 bytes)"),
        ("overwritten", "is damaged: "),
        ("other size", "has 90x160 pixels (height x width), its table says 180x320"),
    ],
)
def test_a_damaged_image_is_named_and_packing_goes_on_after_its_repair(
    packed: Any, world: Any, devkit: NuScenes, tmp_path: Path, how: str, problem: str
):
    copy = world.copy_to(tmp_path / "world")
    scene = train_scene(packed)
    path, token = first_image(copy, devkit, scene, 2)
    good = path.read_bytes()
    damage(path, how)
    size = path.stat().st_size if path.exists() else 0
    target = tmp_path / "out"
    with pytest.raises(RunError) as caught:
        pack(copy.root, target, version=copy.version, split="train", workers=1)
    message = f"{path}: error: image `CAM_BACK` of sample `{token}` ({scene}) {problem.format(size=size)}"
    assert str(caught.value).startswith(message)
    assert not (target / copy.version / "train_lmdb").exists()

    path.write_bytes(good)
    steps = Steps()
    manifest = pack(copy.root, target, version=copy.version, split="train", workers=1, progress=steps)
    # A missing file is seen before anything is packed.
    assert steps.first_packed == (0 if how == "missing" else 2)
    assert manifest == PackReader(data_path=packed.train).manifest


def test_a_pack_of_other_content_is_replaced_only_on_demand(packed: Any, world: Any, tmp_path: Path):
    copy, target = world.copy_to(tmp_path / "world"), packed.copy_to(tmp_path / "packed")
    splits = copy.root / copy.version / "attribute.json"
    splits.write_text(json.dumps(json.loads(splits.read_text()), indent=3))
    before = (target.train / "data.mdb").read_bytes()
    with pytest.raises(RunError) as caught:
        pack(copy.root, target.target, version=copy.version, split="train", workers=1)
    assert str(caught.value) == (
        f"{target.train}: error: there is a damaged pack or one of other content here\n"
        "hint: add `--overwrite` to replace it, or choose another `--target-data-dir`"
    )
    assert (target.train / "data.mdb").read_bytes() == before
    manifest = pack(copy.root, target.target, version=copy.version, split="train", workers=1, overwrite=True)
    assert manifest.source != PackReader(data_path=packed.train).manifest.source
    assert verify(target.train) == manifest
    assert sorted(p.name for p in target.train.parent.iterdir()) == ["train_lmdb", "val_lmdb"]


def test_too_little_room_is_said_before_packing(world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("runtime.data.free_space.shutil.disk_usage", lambda path: SimpleNamespace(free=1000))
    with pytest.raises(
        RunError, match=r"about [0-9.]+ MB are needed and 0\.0 MB are free\nhint: choose another"
    ):
        pack(world.root, tmp_path, version=world.version, split="train", workers=1)
    assert not (tmp_path / world.version / "train_lmdb").exists()


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
