"""A network of a few operations with losses: a sum that takes an accumulator, sampled points, two results."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from runtime.models.blocks import Add, ConvBNAct, GridSample, Input
from runtime.quantization.analysis.task import Task
from runtime.quantization.calibration import finish_observing, start_observing
from runtime.quantization.config import QuantizationConfig, QuantizationRule
from runtime.quantization.convert import convert

IMAGE = QuantizationRule(match="img", scale=1 / 128)


class LabelledNetwork(nn.Module):
    """stem -> (project + stem) -> sampled -> heads `near` and `far`."""

    def __init__(self) -> None:
        super().__init__()
        self.img = Input()
        self.stem = ConvBNAct(in_channels=3, out_channels=6, kernel_size=3, batch_norm=False)
        self.project = ConvBNAct(in_channels=6, out_channels=6, batch_norm=False, activation=None)
        self.add = Add(activation="relu")
        self.sample = GridSample(point_scale=1 / 256)
        self.near = nn.Conv2d(6, 2, 3, padding=1)
        self.far = nn.Conv2d(6, 1, 1)

    def raw_outputs(self, img: Tensor, points: Tensor) -> dict[str, Tensor]:
        stem = self.stem(self.img(img))
        sampled = self.sample(self.add(self.project(stem), stem), points)
        return {"near": self.near(sampled), "far": self.far(sampled)}

    def losses(self, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        raw = self.raw_outputs(batch["img"], batch["points"])
        return {
            "near/loss": (raw["near"] - batch["near"]).square().mean(),
            "far/loss": 3 * (raw["far"] - batch["far"]).abs().mean(),
        }


class SensitiveNetwork(nn.Module):
    """The result needs small channels of `wide`, which has one of a thousand times their range."""

    def __init__(self) -> None:
        super().__init__()
        self.img = Input()
        self.wide = ConvBNAct(in_channels=3, out_channels=4, batch_norm=False, activation=None)
        self.calm = ConvBNAct(in_channels=4, out_channels=4, batch_norm=False, activation="relu")
        self.head = nn.Conv2d(4, 1, 1)
        with torch.no_grad():
            self.wide.conv.weight[0] *= 1000
            self.calm.conv.weight[:, 0] = 0

    def raw_outputs(self, img: Tensor) -> dict[str, Tensor]:
        return {"head": self.head(self.calm(self.wide(self.img(img))))}

    def losses(self, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        return {"head/loss": (self.raw_outputs(batch["img"])["head"] - batch["head"]).square().mean()}


def labelled_batches(count: int = 2, size: int = 3) -> list[dict[str, Any]]:
    draws = torch.Generator().manual_seed(1)
    return [
        {
            "img": torch.rand(size, 3, 8, 8, generator=draws) * 1.9 - 0.95,
            "points": torch.rand(size, 5, 6, 2, generator=draws) * 9 - 1,
            "near": torch.randn(size, 2, 5, 6, generator=draws),
            "far": torch.randn(size, 1, 5, 6, generator=draws),
            "token": [f"sample-{number}-{row}" for row in range(size)],
        }
        for number in range(count)
    ]


def labelled_task(
    batches: Sequence[Mapping[str, Any]], *rules: QuantizationRule, multiplier_bits: int = 15
) -> Task:
    """The first network, calibrated on the batches."""
    torch.manual_seed(0)
    model = LabelledNetwork().eval()
    config = QuantizationConfig(rules=(IMAGE, *rules), multiplier_bits=multiplier_bits)
    convert(
        model,
        config,
        lambda shadow: shadow.raw_outputs(  # type: ignore[operator]
            torch.empty(1, 3, 8, 8, device="meta"), torch.empty(1, 5, 6, 2, device="meta")
        ),
    )
    _calibrate(model, batches)
    return Task(model, model.losses)


def sensitive_batches() -> list[dict[str, Any]]:
    """Labels are what the float network says, so that every error is a loss."""
    torch.manual_seed(0)
    model, batches = SensitiveNetwork().eval(), labelled_batches()
    with torch.no_grad():
        return [{**batch, "head": model.raw_outputs(batch["img"])["head"]} for batch in batches]


def sensitive_task(batches: Sequence[Mapping[str, Any]], *rules: QuantizationRule) -> Task:
    """The second network, calibrated on the batches, with nothing cut off."""
    torch.manual_seed(0)
    model = SensitiveNetwork().eval()
    config = QuantizationConfig(observer="min_max", rules=(IMAGE, *rules))
    convert(
        model,
        config,
        lambda shadow: shadow.raw_outputs(torch.empty(1, 3, 8, 8, device="meta")),  # type: ignore[operator]
    )
    _calibrate(model, batches)
    return Task(model, model.losses)


def _calibrate(model: Any, batches: Sequence[Mapping[str, Any]]) -> None:
    start_observing(model)
    with torch.no_grad():
        for batch in batches:
            model.losses(batch)
    finish_observing(model)
