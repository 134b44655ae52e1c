"""The stock devkit loads the world, draws it, serves its maps and evaluates on it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("nuscenes")
matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

from nuscenes.eval.detection.config import config_factory  # noqa: E402
from nuscenes.eval.detection.evaluate import DetectionEval  # noqa: E402
from nuscenes.eval.detection.utils import category_to_detection_name  # noqa: E402
from nuscenes.map_expansion.bitmap import BitMap  # noqa: E402
from nuscenes.map_expansion.map_api import NuScenesMap, locations  # noqa: E402
from nuscenes.nuscenes import NuScenes  # noqa: E402
from nuscenes.utils import splits as official  # noqa: E402
from nuscenes.utils.data_classes import LidarPointCloud  # noqa: E402
from nuscenes.utils.geometry_utils import points_in_box  # noqa: E402
from shapely.geometry import Point  # noqa: E402

from runtime.data.synthetic.scene_names import official_scene_names  # noqa: E402
from runtime.geometry.class_names import DETECTION_CLASSES  # noqa: E402


@pytest.fixture(scope="module")
def nusc(world_root: Path) -> NuScenes:
    return NuScenes("v1.0-trainval", str(world_root), verbose=False)


def location_of(nusc: NuScenes, sample: dict[str, Any]) -> str:
    scene = nusc.get("scene", sample["scene_token"])
    return str(nusc.get("log", scene["log_token"])["location"])


def ego_of(nusc: NuScenes, sample: dict[str, Any], channel: str = "LIDAR_TOP") -> dict[str, Any]:
    return dict(nusc.get("ego_pose", nusc.get("sample_data", sample["data"][channel])["ego_pose_token"]))


@pytest.mark.parametrize("split", ["train", "val", "mini_train", "mini_val"])
def test_official_names(split: str) -> None:
    assert official_scene_names(split) == getattr(official, split)


def test_tables_are_linked(nusc: NuScenes) -> None:
    assert [scene["name"] for scene in nusc.scene] == ["scene-0001", "scene-0003", "scene-0012"]
    assert len(nusc.sample) == 9 and len(nusc.sample_data) == 9 * 7
    for scene in nusc.scene:
        key, seen = scene["first_sample_token"], []
        while key:
            sample = nusc.get("sample", key)
            seen.append(sample["timestamp"])
            assert len(sample["data"]) == 7
            key = sample["next"]
        assert len(seen) == scene["nbr_samples"] == 3
        np.testing.assert_allclose(np.diff(seen), 500_000, atol=10_000)
    for instance in nusc.instance:
        chain = nusc.field2token("sample_annotation", "instance_token", instance["token"])
        assert len(chain) == instance["nbr_annotations"]
        assert nusc.get("sample_annotation", instance["first_annotation_token"])["prev"] == ""
        assert nusc.get("sample_annotation", instance["last_annotation_token"])["next"] == ""


def test_cameras_have_their_own_time_and_pose(nusc: NuScenes) -> None:
    moved = 0.0
    for sample in nusc.sample:
        stamps = {c: nusc.get("sample_data", key)["timestamp"] for c, key in sample["data"].items()}
        assert stamps["LIDAR_TOP"] == sample["timestamp"]
        assert len(set(stamps.values())) == 7
        assert max(abs(stamp - sample["timestamp"]) for stamp in stamps.values()) < 60_000
        here = np.array(ego_of(nusc, sample)["translation"])
        there = np.array(ego_of(nusc, sample, "CAM_FRONT_LEFT")["translation"])
        moved = max(moved, float(np.linalg.norm(here - there)))
    assert 0.01 < moved < 0.5


def test_all_detection_classes_occur_and_have_fitting_attributes(nusc: NuScenes) -> None:
    seen = {category_to_detection_name(a["category_name"]) for a in nusc.sample_annotation} - {None}
    assert len(seen) >= 8 and seen <= set(DETECTION_CLASSES)
    for annotation in nusc.sample_annotation:
        names = [nusc.get("attribute", t)["name"] for t in annotation["attribute_tokens"]]
        kind = annotation["category_name"].split(".")[0]
        if annotation["category_name"] in ("vehicle.bicycle", "vehicle.motorcycle"):
            kind = "cycle"
        expected = {"human": "pedestrian"}.get(kind, kind)
        has_one = expected in ("pedestrian", "vehicle", "cycle")
        assert [name.split(".")[0] for name in names] == ([expected] if has_one else [])
        speed = np.linalg.norm(nusc.box_velocity(annotation["token"])[:2])
        if names and names[0].endswith(".moving"):
            assert speed > 0.1
        elif names and names[0] in ("vehicle.parked", "pedestrian.standing"):
            assert speed == 0.0


def test_velocities_follow_from_positions_and_point_ahead(nusc: NuScenes) -> None:
    checked = 0
    for annotation in nusc.sample_annotation:
        velocity = nusc.box_velocity(annotation["token"])[:2]
        speed = float(np.linalg.norm(velocity))
        if not annotation["prev"] or not annotation["next"] or speed < 1.0:
            continue
        w, x, y, z = annotation["rotation"]
        yaw = np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
        assert velocity @ [np.cos(yaw), np.sin(yaw)] > 0.97 * speed
        assert speed < 8.0
        checked += 1
    assert checked > 10


def test_point_counts_are_the_points_in_the_boxes(nusc: NuScenes, world_root: Path) -> None:
    for sample in nusc.sample[:2]:
        path, boxes, _ = nusc.get_sample_data(sample["data"]["LIDAR_TOP"])
        cloud = LidarPointCloud.from_file(path)
        assert 1000 < cloud.points.shape[1] < 20_000
        hits = 0
        for box in boxes:
            annotation = nusc.get("sample_annotation", box.token)
            if annotation["category_name"] == "static_object.bicycle_rack":
                continue
            inside = int(points_in_box(box, cloud.points[:3], wlh_factor=1.001).sum())
            # Returns of the ground at the foot of a box are inside it too.
            assert annotation["num_lidar_pts"] <= inside <= annotation["num_lidar_pts"] * 1.3 + 12
            hits += annotation["num_lidar_pts"]
        assert hits > 200


def test_rendering_calls(nusc: NuScenes, tmp_path: Path) -> None:
    sample = nusc.sample[0]
    nusc.render_sample_data(sample["data"]["CAM_FRONT"], out_path=str(tmp_path / "camera.png"), verbose=False)
    nusc.render_sample_data(sample["data"]["LIDAR_TOP"], out_path=str(tmp_path / "lidar.png"), verbose=False)
    seen = next(a for a in sample["anns"] if nusc.get("sample_annotation", a)["num_lidar_pts"] > 50)
    nusc.render_annotation(seen, out_path=str(tmp_path / "annotation.png"))
    nusc.render_egoposes_on_map(location_of(nusc, sample), out_path=str(tmp_path / "map.png"))
    assert len(list(tmp_path.glob("*.png"))) == 4
    matplotlib.pyplot.close("all")


@pytest.mark.parametrize("location", locations)
def test_map_layers(nusc: NuScenes, world_root: Path, location: str) -> None:
    api = NuScenesMap(str(world_root), location)
    BitMap(str(world_root), location, "semantic_prior")
    samples = [s for s in nusc.sample if location_of(nusc, s) == location]
    if not samples:
        assert location == "boston-seaport"  # three scenes: one map of the four has no street
        return
    x, y, _ = ego_of(nusc, samples[0])["translation"]
    layers = [layer for layer in api.non_geometric_layers if layer != "traffic_light"]
    masks = api.get_map_mask((x, y, 100, 100), 30.0, layers, (200, 200))
    filled = dict(zip(layers, masks.reshape(len(layers), -1).mean(axis=1), strict=True))
    assert filled["drivable_area"] > 0.05
    for layer in ("road_segment", "road_block", "lane", "walkway", "road_divider"):
        assert filled[layer] > 0, layer
    on_street = api.layers_on_point(x, y)
    assert on_street["drivable_area"] and on_street["road_segment"]
    lanes = api.discretize_lanes([record["token"] for record in api.lane], 1.0)
    for lane, poses in lanes.items():
        polygon = api.extract_polygon(api.get("lane", lane)["polygon_token"]).buffer(0.2)
        assert np.mean([polygon.contains(Point(x, y)) for x, y, _ in poses]) > 0.9
        assert api.get_outgoing_lane_ids(lane) or api.get_incoming_lane_ids(lane) or not api.lane_connector


def test_ego_drives_on_the_semantic_prior(nusc: NuScenes) -> None:
    for sample in nusc.sample:
        scene = nusc.get("scene", sample["scene_token"])
        mask = nusc.get("map", nusc.get("log", scene["log_token"])["map_token"])["mask"]
        x, y, _ = ego_of(nusc, sample)["translation"]
        assert mask.is_on_mask(x, y).all()
        assert not mask.is_on_mask(0.5, 0.5).any()


def test_perfect_predictions_score_one(nusc: NuScenes, tmp_path: Path) -> None:
    results: dict[str, list[dict[str, Any]]] = {}
    classes = set()
    for sample in nusc.sample[3:]:
        boxes = results.setdefault(sample["token"], [])
        for key in sample["anns"]:
            annotation = nusc.get("sample_annotation", key)
            name = category_to_detection_name(annotation["category_name"])
            if name is None or annotation["num_lidar_pts"] == 0:
                continue
            attributes = [nusc.get("attribute", t)["name"] for t in annotation["attribute_tokens"]]
            boxes.append(
                {
                    "sample_token": sample["token"],
                    "translation": annotation["translation"],
                    "size": annotation["size"],
                    "rotation": annotation["rotation"],
                    "velocity": nusc.box_velocity(key)[:2].tolist(),
                    "detection_name": name,
                    "detection_score": 1.0,
                    "attribute_name": attributes[0] if attributes else "",
                }
            )
            classes.add(name)
    meta = dict.fromkeys(("use_camera", "use_lidar", "use_radar", "use_map", "use_external"), False)
    (tmp_path / "results.json").write_text(json.dumps({"meta": meta, "results": results}))
    scores = {}
    for split in ("val", "synthetic_val"):
        judge = DetectionEval(
            nusc,
            config_factory("detection_cvpr_2019"),
            str(tmp_path / "results.json"),
            split,
            str(tmp_path),
            verbose=False,
        )
        scores[split] = judge.evaluate()[0].serialize()
    assert scores["val"]["mean_dist_aps"] == scores["synthetic_val"]["mean_dist_aps"]
    for name, precision in scores["val"]["mean_dist_aps"].items():
        assert precision == (pytest.approx(1.0) if name in classes else 0.0), name
    assert len(classes) >= 8
