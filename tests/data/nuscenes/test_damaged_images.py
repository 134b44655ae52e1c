"""An image that is missing or damaged is named, and packing goes on after its repair."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from nuscenes import NuScenes
from packing_steps import Steps

from runtime.data.nuscenes.pack import pack
from runtime.data.pack_reader import PackReader
from runtime.errors import RunError


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
