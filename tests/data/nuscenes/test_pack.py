"""What is in a pack: the world as the devkit reads it, and the same for any number of workers."""

from pathlib import Path
from typing import Any

import numpy as np
from nuscenes import NuScenes
from packing_steps import Steps

from runtime.data.nuscenes.pack import pack
from runtime.data.pack_reader import PackReader
from runtime.geometry.camera import CAMERA_NAMES
from runtime.geometry.class_names import DETECTION_CLASSES
from runtime.geometry.frames import rotation_matrix


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
