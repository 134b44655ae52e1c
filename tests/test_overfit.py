"""The learning is real: the tiny model learns two samples by heart, both tasks, and decodes their boxes."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

ROOT = Path(__file__).resolve().parents[1]
STEPS = 220
ONE_PEAK = 8**0.5  # metres between the far corners of two neighbouring cells


@pytest.fixture()
def build_model(tmp_path: Path) -> Iterator[object]:
    """`build_model` of the tiny experiment, without its augmentations of BEV."""
    folder = tmp_path / "tiny"
    command = [
        sys.executable,
        "-m",
        "specgen",
        "build",
        str(ROOT / "specs" / "bev_ipm_tiny.yaml"),
        "--out",
        str(folder),
    ]
    subprocess.run(
        [
            *command,
            "--set",
            "model.bev_transforms=[]",
            "--set",
            "model.bev_decoders.0.head.dropout_ratio=0.0",
        ],
        check=True,
    )
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module("model").build_model
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            if not name.startswith(("runtime", "torch")):
                sys.modules.pop(name)


def test_two_samples_are_learned_by_heart(packed_world, build_model) -> None:  # type: ignore[no-untyped-def]
    batch = _two_samples(packed_world)
    torch.manual_seed(0)
    model: nn.Module = build_model().train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 8e-3, total_steps=STEPS, pct_start=0.2)
    first: dict[str, float] = {}
    for _ in range(STEPS):
        losses: dict[str, Tensor] = model(batch)
        first = first or _by_task(losses)
        optimizer.zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimizer.step()
        schedule.step()
    last = _by_task(losses)
    assert last["bev_det"] < first["bev_det"] / 10, (first, last)
    assert last["bev_seg"] < first["bev_seg"] / 10, (first, last)
    with torch.no_grad():
        found = model.eval()(batch)
    assert _recall(found["bev_det"], batch) >= 0.9
    known = batch["gt_seg"] >= 0
    assert (found["bev_seg"] == batch["gt_seg"])[known].float().mean() > 0.97


def _two_samples(world) -> dict:  # type: ignore[no-untyped-def, type-arg]
    from runtime.data.collate import collate_nuscenes
    from runtime.data.dataset import NuscenesDataset
    from runtime.data.transforms.bev_img_crop import BevImgCrop
    from runtime.data.transforms.bev_img_resize import BevImgResize
    from runtime.data.transforms.bev_img_transform_wrapper import BevImgTransformWrapper
    from runtime.data.transforms.bgr_to_yuv444 import BgrToYuv444
    from runtime.data.transforms.normalize import Normalize
    from runtime.data.transforms.pil_to_tensor import PILToTensor

    tensor = BevImgTransformWrapper(
        transforms=[PILToTensor(), BgrToYuv444(rgb_input=True), Normalize(mean=128.0, std=128.0)]
    )
    dataset = NuscenesDataset(
        data_path=world.packs / "v1.0-trainval" / "train_lmdb",
        transforms=[BevImgResize(size=(144, 256)), BevImgCrop(size=(96, 256)), tensor],
        bev_size=(32.0, 32.0, 1.0),
        map_size=(15.0, 20.0, 0.5),
    )
    return collate_nuscenes([dataset[0], dataset[4]])  # one of each scene


def _by_task(losses: dict[str, Tensor]) -> dict[str, float]:
    totals: dict[str, float] = {}
    for name, value in losses.items():
        task = name.partition("/")[0]
        totals[task] = totals.get(task, 0.0) + value.item()
    return totals


def _recall(detections: list[dict[str, Tensor]], batch: dict) -> float:  # type: ignore[type-arg]
    """Share of true boxes with a decoded box of their class whose centre is less than half a metre away.

    Boxes that touch another's 3 x 3 cells of one metre are left out: the decoder takes one peak there.
    """
    hits = []
    for found, boxes, labels in zip(detections, batch["gt_boxes"], batch["gt_labels"], strict=True):
        apart = torch.cdist(boxes[:, :2], boxes[:, :2]) + 100.0 * (
            torch.eye(len(boxes)) + (labels[:, None] != labels)
        )
        for box, label, distance in zip(boxes, labels, apart.min(dim=1).values, strict=True):
            if distance < ONE_PEAK:
                continue
            same = found["boxes"][found["labels"] == label]
            hits.append(bool((torch.linalg.norm(same[:, :2] - box[:2], dim=1) < 0.5).any()))
    assert len(hits) > 10
    return sum(hits) / len(hits)
