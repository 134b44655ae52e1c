"""Cameras, boxes and ground truth of a dataset are what the devkit says of the world that was packed."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nuscenes import NuScenes
from nuscenes.eval.common.loaders import add_center_dist, load_gt
from nuscenes.eval.detection.data_classes import DetectionBox
from packed_datasets import dataset
from pyquaternion import Quaternion

from runtime.geometry.camera import CAMERA_NAMES, project
from runtime.geometry.class_names import DETECTION_CLASSES


def test_projection_is_the_devkits_chain_of_poses(packed: Any, devkit: NuScenes):
    """Annotation centres: global, ego at the camera's time, camera, pixel, as `render_annotation` goes."""
    data = dataset(packed.train)
    checked = 0
    for index in (0, 4):
        _, ego2img = data.camera_images(index)
        record = data.record(index)
        sample = devkit.get("sample", record["token"])
        ego2global = Quaternion(matrix=record["ego2global"][:3, :3])
        for view, name in enumerate(CAMERA_NAMES):
            camera = devkit.get("sample_data", sample["data"][name])
            pose = devkit.get("ego_pose", camera["ego_pose_token"])
            sensor = devkit.get("calibrated_sensor", camera["calibrated_sensor_token"])
            for centre in record["boxes"]["translation"]:
                point = Quaternion(pose["rotation"]).inverse.rotate(centre - pose["translation"])
                point = Quaternion(sensor["rotation"]).inverse.rotate(point - sensor["translation"])
                if point[2] < 1.0:
                    continue
                expected = np.array(sensor["camera_intrinsic"]) @ point / point[2]
                in_ego = ego2global.inverse.rotate(centre - record["ego2global"][:3, 3])
                uv, depth = project(in_ego[None], ego2img[view])
                np.testing.assert_allclose(uv[0], expected[:2], atol=1e-6)
                np.testing.assert_allclose(depth[0], point[2], atol=1e-9)
                checked += 1
    assert checked > 20


def test_boxes_are_the_devkits_in_the_ego_frame(packed: Any, devkit: NuScenes):
    data = dataset(packed.train)
    total = 0
    for index in range(len(data)):
        item = data[index]
        sample = devkit.get("sample", item["token"])
        pose = devkit.get(
            "ego_pose", devkit.get("sample_data", sample["data"]["LIDAR_TOP"])["ego_pose_token"]
        )
        expected = []
        for token in sample["anns"]:
            annotation = devkit.get("sample_annotation", token)
            box = devkit.get_box(token)
            box.velocity = devkit.box_velocity(token)
            box.translate(-np.array(pose["translation"]))
            box.rotate(Quaternion(pose["rotation"]).inverse)
            seen = annotation["num_lidar_pts"] + annotation["num_radar_pts"] > 0
            if (
                seen
                and np.all(np.abs(box.center[:2]) < 32)
                and annotation["category_name"] != "static_object.bicycle_rack"
            ):
                yaw = np.arctan2(box.rotation_matrix[1, 0], box.rotation_matrix[0, 0])
                expected.append([*box.center, *box.wlh, yaw, *box.velocity[:2]])
        expected_array = np.array(expected, dtype=np.float32).reshape(-1, 9)
        # The vertical speed is taken as 0 here and from the tables there; on flat roads both agree.
        np.testing.assert_allclose(item["gt_boxes"].numpy(), expected_array, atol=2e-4)
        total += len(expected)
    assert total > 10


def test_boxes_without_points_or_outside_the_range_are_no_labels(packed: Any):
    data = dataset(packed.train, bev_size=(8.0, 16.0, 1.0))
    record = data.record(0)
    everything = len(record["boxes"]["label"])
    boxes, labels = data.boxes_ego(0)
    assert len(boxes) == len(labels) < everything
    assert (np.abs(boxes[:, 0]) <= 16).all() and (np.abs(boxes[:, 1]) <= 8).all()
    wide = dataset(packed.train, bev_size=(200.0, 200.0, 1.0))
    unseen = record["boxes"]["num_lidar_pts"] + record["boxes"]["num_radar_pts"] == 0
    assert len(wide.boxes_ego(0)[0]) == everything - unseen.sum()


def tokens_of(path: Path) -> list[str]:
    manifest = json.loads((path.parents[1] / "metas" / f"{path.parent.name}-val.manifest.json").read_text())
    return [entry["token"] for entry in manifest["samples"]]


def test_ground_truth_is_what_the_devkit_evaluates(packed: Any, devkit: NuScenes):
    truth = dataset(packed.val).ground_truth()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("builtins.print", lambda *_: None)
        reference = add_center_dist(devkit, load_gt(devkit, "val", DetectionBox))
    assert [sample["token"] for sample in truth] == tokens_of(packed.val)
    assert sorted(sample["token"] for sample in truth) == sorted(reference.sample_tokens)
    for sample in truth:
        boxes = reference[sample["token"]]
        assert len(boxes) == len(sample["label"])
        for i, box in enumerate(boxes):
            assert sample["translation"][i].tolist() == list(box.translation)
            assert sample["size"][i].tolist() == list(box.size)
            assert sample["rotation"][i].tolist() == list(box.rotation)
            np.testing.assert_array_equal(sample["velocity"][i], box.velocity)
            assert DETECTION_CLASSES[sample["label"][i]] == box.detection_name
            assert sample["attribute"][i] == box.attribute_name
            assert sample["num_lidar_pts"][i] + sample["num_radar_pts"][i] == box.num_pts
            offset = sample["translation"][i] - sample["ego_translation"]
            assert offset.tolist() == list(box.ego_translation)
        assert sample["bike_racks"].keys() == {"translation", "size", "rotation"}
