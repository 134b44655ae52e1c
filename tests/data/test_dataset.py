"""Items, batches and pictures of a dataset: shapes, types, length; settings that cannot work."""

import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from packed_datasets import dataset

from runtime.data.collate import collate_nuscenes
from runtime.data.dataset import NuscenesDataset
from runtime.errors import RunError
from runtime.geometry.class_names import DETECTION_CLASSES


def test_an_item_has_the_documented_shapes_and_types(packed: Any):
    item = dataset(packed.train)[0]
    count = len(item["gt_labels"])
    shapes = {k: (tuple(v.shape), v.dtype) for k, v in item.items() if isinstance(v, torch.Tensor)}
    assert shapes == {
        "img": ((6, 3, 64, 160), torch.float32),
        "ego2img": ((6, 4, 4), torch.float64),
        "gt_boxes": ((count, 9), torch.float32),
        "gt_labels": ((count,), torch.int64),
        "gt_seg": ((60, 80), torch.int64),
        "ego2global": ((4, 4), torch.float64),
    }
    assert item.keys() - shapes.keys() == {"token"}
    assert -1.0 <= item["img"].min() < item["img"].max() <= 1.0
    assert set(item["gt_seg"].unique().tolist()) <= {0, 1, 2, 3} and (item["gt_seg"] == 3).any()


def test_a_batch_has_the_documented_shapes_and_types(packed: Any):
    data = dataset(packed.train)
    items = [data[0], data[3]]
    batch = collate_nuscenes(items)
    assert batch["img"].shape == (12, 3, 64, 160)
    assert torch.equal(batch["img"][6:], items[1]["img"])
    assert batch["ego2img"].shape == (2, 6, 4, 4) and batch["ego2img"].dtype == torch.float64
    assert batch["gt_seg"].shape == (2, 60, 80) and batch["ego2global"].shape == (2, 4, 4)
    assert [len(b) for b in batch["gt_boxes"]] == [len(x) for x in batch["gt_labels"]]
    assert batch["token"] == [items[0]["token"], items[1]["token"]]


def test_pictures_are_the_stored_images(packed: Any):
    data = dataset(packed.train)
    images, ego2img = data.camera_images(1)
    assert len(images) == 6 and ego2img.shape == (6, 4, 4)
    for image, jpeg in zip(images, data.image_bytes(1), strict=True):
        bgr = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        np.testing.assert_array_equal(image, bgr[..., ::-1])
    without_chain = dataset(packed.train, transforms=[])[1]
    np.testing.assert_array_equal(without_chain["img"][2].movedim(0, -1).numpy(), images[2])
    np.testing.assert_allclose(without_chain["ego2img"].numpy(), ego2img)


def test_length_indices_and_identity(packed: Any):
    data = dataset(packed.train, num_samples=2)
    assert len(data) == 2 and len(data.ground_truth()) == 2
    assert data.split == "train" and len(data.digest) == 64
    assert data[-1]["token"] == data[1]["token"]
    with pytest.raises(IndexError, match="sample 2 of 2"):
        data[2]
    assert NuscenesDataset.CLASSES == DETECTION_CLASSES


def test_settings_that_cannot_work_are_named(packed: Any):
    with pytest.raises(
        RunError, match=r"`map_size` \(60, 60, 1.0\) reaches farther than the packed map lines, 60.0 m"
    ):
        dataset(packed.train, map_size=(60, 60, 1.0), line_width=1.0)
    with pytest.raises(RunError, match=r"`line_width` is 0\.2 m, thinner than one map cell"):
        dataset(packed.train, line_width=0.2)
    with pytest.raises(RunError, match="`num_samples` must be at least 1, got 0"):
        dataset(packed.train, num_samples=0)


def test_map_path_may_lie_elsewhere(packed: Any, tmp_path: Path):
    copy = packed.copy_to(tmp_path / "packed")
    shutil.move(copy.target / "metas", tmp_path / "elsewhere")
    assert len(dataset(copy.train, map_path=tmp_path / "elsewhere")) == 6
    with pytest.raises(RunError, match="no manifest"):
        dataset(copy.train)
