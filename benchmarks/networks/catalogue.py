"""The public networks of `data/latency.csv` by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from benchmarks.networks.efficientnet import efficientnet_lite0, efficientnet_lite1, efficientnet_lite2
from benchmarks.networks.fasternet import fasternet_t0
from benchmarks.networks.googlenet import googlenet
from benchmarks.networks.layers import Layers
from benchmarks.networks.mobilenet import mobilenet_v1, mobilenet_v2
from benchmarks.networks.repvgg import repvgg_a0, repvgg_a1
from benchmarks.networks.resnet import resnet18, resnet50, resnet152, resnext50_32x4d
from benchmarks.networks.yolov8 import yolov8l_seg, yolov8n
from runtime.bpu.operation import Operation, Shape

LAYERS: Mapping[str, Callable[[Shape], Layers]] = MappingProxyType(
    {
        "EfficientNet-lite0": efficientnet_lite0,
        "EfficientNet-lite1": efficientnet_lite1,
        "EfficientNet-lite2": efficientnet_lite2,
        "FasterNet-T0": fasternet_t0,
        "GoogLeNet": googlenet,
        "MobileNetV1": mobilenet_v1,
        "MobileNetV2": mobilenet_v2,
        "RepVGG-A0": repvgg_a0,
        "RepVGG-A1": repvgg_a1,
        "ResNet18": resnet18,
        "ResNet50": resnet50,
        "ResNet152": resnet152,
        "ResNeXt50-32x4d": resnext50_32x4d,
        "YOLOv8l-seg": yolov8l_seg,
        "YOLOv8n": yolov8n,
    }
)


def _operations(name: str, image: Shape) -> list[Operation]:
    return LAYERS[name](image).operations


NETWORKS: Mapping[str, Callable[[Shape], list[Operation]]] = MappingProxyType(
    {name: partial(_operations, name) for name in LAYERS}
)
