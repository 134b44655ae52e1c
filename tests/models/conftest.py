"""A camera ring like nuScenes', and models at the reference's and at small sizes, with the real tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from runtime.geometry.camera import ego2img_matrix
from runtime.geometry.class_names import DETECTION_CLASSES
from runtime.models.backbones.efficientnet import EfficientNet
from runtime.models.bev_decoders.detection import BevDetDecoder
from runtime.models.bev_decoders.segmentation import BevSegDecoder
from runtime.models.bev_encoder import BevEncoder
from runtime.models.heads.center_point import CenterPoint3dHead
from runtime.models.heads.fcn import DepthwiseSeparableFCNHead
from runtime.models.necks.bifpn import BiFPN
from runtime.models.necks.fast_scnn import FastSCNNNeck
from runtime.models.structure import BevStructure
from runtime.models.view_transforms.sampling_points import point_scale
from runtime.models.view_transforms.wrapping import WrappingTransformer
from runtime.tasks.detection.decoder import CenterPoint3dDecoder
from runtime.tasks.detection.gaussian_focal_loss import GaussianFocalLoss
from runtime.tasks.detection.l1_loss import L1Loss
from runtime.tasks.detection.target import CenterPoint3dTarget
from runtime.tasks.segmentation.decoder import FCNDecoder
from runtime.tasks.segmentation.loss import CrossEntropyLossV2
from runtime.tasks.segmentation.target import FCNTarget

TASKS = [
    ["car"],
    ["truck", "construction_vehicle"],
    ["bus", "trailer"],
    ["barrier"],
    ["motorcycle", "bicycle"],
    ["pedestrian", "traffic_cone"],
]
BN = {"eps": 2e-5, "momentum": 0.1}
REGRESSED = {"reg": (2, 2), "height": (1, 2), "dim": (3, 2), "rot": (2, 2), "vel": (2, 2)}


@pytest.fixture(autouse=True)
def _seeded_and_single_threaded() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.manual_seed(0)
    # At these sizes a second thread wins nothing, and waits for ever on a busy machine.
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def ring_of_cameras(height: int, width: int) -> Tensor:
    """`ego2img` (6, 4, 4) float64 of six cameras, 1.5 m above the ground, that look all around."""
    matrices = []
    for degrees in (55, 0, -55, 110, 180, -110):
        yaw = np.deg2rad(degrees)
        turn = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
        cam2ego = np.eye(4)
        # Camera axes (right, down, forward) in a level car frame, turned by the camera's yaw.
        cam2ego[:3, :3] = turn @ np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])
        cam2ego[:3, 3] = turn @ [1.2, 0, 0] + np.array([0, 0, 1.5])
        # The camera to the back has a wider lens.
        focal = (800 if degrees == 180 else 1266) / 1600 * width
        intrinsic = [[focal, 0, (width - 1) / 2], [0, focal, 0.45 * height], [0, 0, 1]]
        matrices.append(ego2img_matrix(intrinsic, cam2ego, np.eye(4), np.eye(4)))
    return torch.from_numpy(np.stack(matrices))


def build_model(
    *,
    input_hw: tuple[int, int],
    bev_size: tuple[float, float, float],
    task_size: tuple[float, float, float],
    width: float | None = None,
    depth: float | None = None,
    indexes: tuple[int, int] = (-3, -1),
    neck_channels: int = 64,
    bev_channels: int = 48,
    head_channels: int = 48,
    stack: int = 3,
    drop_prob: float = 0.1,
    bev_transforms: tuple[Any, ...] = (),
) -> BevStructure:
    """The reference model with other numbers."""
    backbone = EfficientNet(width_multiplier=width, depth_multiplier=depth, bn_kwargs=BN)
    infos = backbone.feature_info
    stride = infos[indexes[0]].stride
    encoder = EfficientNet(
        in_channels=neck_channels, width_multiplier=width, depth_multiplier=depth, bn_kwargs=BN
    )
    classes = list(DETECTION_CLASSES)
    return BevStructure(
        backbone=backbone,
        neck=FastSCNNNeck(
            in_channels=[infos[index].channels for index in indexes],
            feat_channels=[neck_channels] * 2,
            indexes=list(indexes),
            bn_kwargs=BN,
        ),
        view_transformer=WrappingTransformer(
            bev_size=bev_size,
            drop_prob=drop_prob,
            grid_quant_scale=point_scale(-(-input_hw[0] // stride), -(-input_hw[1] // stride)),
            in_stride=stride,
        ),
        bev_transforms=bev_transforms,
        bev_encoder=BevEncoder(
            backbone=encoder,
            neck=BiFPN(
                in_strides=[2, 4, 8, 16, 32],
                out_strides=[2, 4, 8, 16, 32],
                stride2channels={info.stride: info.channels for info in encoder.feature_info},
                out_channels=bev_channels,
                num_outs=5,
                stack=stack,
            ),
        ),
        bev_decoders=[
            BevSegDecoder(
                task_weight=10.0,
                bev_size=bev_size,
                task_size=task_size,
                head=DepthwiseSeparableFCNHead(
                    in_channels=bev_channels, feat_channels=bev_channels, num_classes=4, bn_kwargs=BN
                ),
                target=FCNTarget(),
                loss=CrossEntropyLossV2(class_weight=[1.0, 5.0, 5.0, 5.0]),
                decoder=FCNDecoder(),
            ),
            BevDetDecoder(
                head=CenterPoint3dHead(
                    in_channels=bev_channels,
                    tasks=TASKS,
                    share_conv_channels=bev_channels,
                    common_heads=REGRESSED,
                    head_conv_channels=head_channels,
                ),
                target=CenterPoint3dTarget(
                    class_names=classes, tasks=TASKS, bev_size=bev_size, bbox_weight=[1.0] * 8 + [0.2] * 2
                ),
                loss_cls=GaussianFocalLoss(),
                loss_reg=L1Loss(),
                decoder=CenterPoint3dDecoder(
                    class_names=classes,
                    tasks=TASKS,
                    bev_size=bev_size,
                    nms_type=["rotate", "rotate", "rotate", "circle", "rotate", "rotate"],
                    min_radius=[4, 12, 10, 1, 0.85, 0.175],
                    nms_threshold=[0.2, 0.2, 0.2, 0.2, 0.2, 0.5],
                ),
            ),
        ],
    )


def build_batch(*, samples: int, input_hw: tuple[int, int], seg_hw: tuple[int, int], half: float) -> dict:
    """Noise for images, boxes within `half` metres, random map labels."""
    boxes = []
    for _ in range(samples):
        box = torch.rand(12, 9)
        box[:, :2] = (box[:, :2] - 0.5) * 2 * half
        box[:, 3:6] = 1 + 3 * box[:, 3:6]
        box[:3, 7:] = float("nan")
        boxes.append(box)
    return {
        "img": torch.randn(samples * 6, 3, *input_hw),
        "ego2img": ring_of_cameras(*input_hw).expand(samples, 6, 4, 4).clone(),
        "gt_boxes": boxes,
        "gt_labels": [torch.randint(0, 10, (12,)) for _ in range(samples)],
        "gt_seg": torch.randint(0, 4, (samples, *seg_hw)),
    }


TINY = {"input_hw": (64, 160), "bev_size": (16.0, 24.0, 1.0), "task_size": (8.0, 12.0, 0.5)}


@pytest.fixture
def make_tiny_model() -> Callable[..., BevStructure]:
    """A model of the reference's parts for 64 x 160 images, BEV 32 x 48, map 32 x 48 over a smaller area."""

    def make(**changes: Any) -> BevStructure:
        sizes = {
            "width": 0.25,
            "depth": 0.3,
            "indexes": (-4, -1),
            "neck_channels": 16,
            "bev_channels": 16,
            "head_channels": 8,
            "stack": 1,
        }
        return build_model(**{**TINY, **sizes, **changes})

    return make


@pytest.fixture
def tiny_batch() -> dict:
    return build_batch(samples=2, input_hw=(64, 160), seg_hw=(32, 48), half=15.0)


@pytest.fixture
def reference_model() -> BevStructure:
    """The reference at its own sizes."""
    return build_model(input_hw=(512, 960), bev_size=(51.2, 51.2, 0.8), task_size=(15, 30, 0.15))


@pytest.fixture
def make_batch() -> Callable[..., dict]:
    return build_batch


@pytest.fixture
def ring() -> Callable[[int, int], Tensor]:
    return ring_of_cameras
