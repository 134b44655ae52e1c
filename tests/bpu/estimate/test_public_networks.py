"""Networks read from torch and from ONNX are, operation for operation, those that chips were fitted with."""

from __future__ import annotations

import io
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import onnx
import pytest
import torch
from torch import nn
from torch_networks import TORCH_NETWORKS

from benchmarks.networks.catalogue import NETWORKS
from runtime.bpu.estimate.estimate import estimate
from runtime.bpu.estimate.onnx_reading.network import operations_of_onnx
from runtime.bpu.estimate.torch_reading.program import operations_of_program
from runtime.bpu.march import load_march, march_names
from runtime.bpu.network_cost import network_cost
from runtime.bpu.operation import Operation
from runtime.models.backbones.efficientnet import EfficientNet

IMAGE = (1, 3, 128, 128)


@pytest.mark.parametrize("name", TORCH_NETWORKS)
def test_program_is_the_fitted_network(name: str) -> None:
    operations = operations_of_program(_exported(TORCH_NETWORKS[name]()))
    assert _nameless(operations) == _nameless(NETWORKS[name](IMAGE))


@pytest.mark.parametrize("name", ["MobileNetV2", "YOLOv8n"])
def test_decomposed_program_is_the_fitted_network(name: str) -> None:
    """After `run_decompositions` the same calls have other names, and some several parts."""
    program = _exported(TORCH_NETWORKS[name]()).run_decompositions()
    assert _nameless(operations_of_program(program)) == _nameless(NETWORKS[name](IMAGE))


@pytest.mark.parametrize("name", TORCH_NETWORKS)
def test_onnx_is_the_fitted_network(name: str) -> None:
    """SiLU and GELU are several ONNX nodes each, and one table."""
    operations = operations_of_onnx(_onnx(TORCH_NETWORKS[name]()))
    assert _nameless(operations) == _nameless(NETWORKS[name](IMAGE))


def test_our_backbone_is_the_fitted_network() -> None:
    backbone = EfficientNet(
        model_type="b0",
        in_channels=3,
        num_classes=1000,
        include_top=True,
        activation="relu",
        use_se_block=False,
    )
    operations = operations_of_program(_exported(backbone))
    assert _nameless(operations) == _nameless(NETWORKS["EfficientNet-lite0"](IMAGE))


@pytest.mark.parametrize("march", march_names())
def test_estimate_is_what_the_fit_predicts(march: str) -> None:
    operations = NETWORKS["ResNet18"](IMAGE)
    found = estimate(operations, load_march(march))
    assert not found.refused
    assert found.milliseconds * 1e3 == pytest.approx(
        network_cost(load_march(march), operations).microseconds, rel=1e-12
    )


def _exported(module: nn.Module) -> torch.export.ExportedProgram:
    with torch.no_grad():
        return torch.export.export(
            module.eval().to("meta"), (torch.empty(IMAGE, device="meta"),), strict=False
        )


def _onnx(module: nn.Module) -> onnx.ModelProto:
    """By the exporter that needs no further package."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module.eval(), (torch.zeros(IMAGE),), file, dynamo=False, opset_version=17)
    return onnx.ModelProto.FromString(file.getvalue())


def _nameless(operations: Iterable[Operation]) -> Counter[Operation]:
    return Counter(replace(operation, name="") for operation in operations)
