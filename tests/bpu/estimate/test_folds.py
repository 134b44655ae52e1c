"""What is an operation of its own, and what vanishes into another."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from runtime.bpu.estimate.network import Network
from runtime.bpu.estimate.torch_reading.program import network_of_program

IMAGE = (1, 16, 12, 12)


class Calls(nn.Module):
    """A convolution, and a function of its result and of the image."""

    def __init__(self, function: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.conv, self.function = nn.Conv2d(16, 16, 3, padding=1), function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self.conv(x), x)


@pytest.mark.parametrize(
    ("function", "operations"),
    [
        (lambda y, x: F.relu(y), ["conv"]),
        (lambda y, x: (y * 0.5 + 1).clamp(0, 6), ["conv"]),
        (lambda y, x: y + x, ["conv+"]),
        (lambda y, x: F.relu(y + x), ["conv+"]),
        # An activation in between is rounded by itself.
        (lambda y, x: F.relu(y) + x, ["conv", "add"]),
        # The sum that the convolution takes is another's input as well.
        (lambda y, x: y + x + y.mean(), ["conv", "view_sum", "add"]),
        (lambda y, x: x + x.flip(2) + x.flip(3), ["flip", "flip", "add", "conv"]),
        (lambda y, x: y * torch.sigmoid(y), ["conv", "lookup"]),
        (lambda y, x: y * F.relu6(y + 3) / 6, ["conv", "lookup"]),
        (lambda y, x: y * torch.tanh(F.softplus(y)), ["conv", "lookup"]),
        (lambda y, x: 0.5 * y * (1 + torch.erf(y / 2**0.5)), ["conv", "lookup"]),
        # A function of two maps is none of one.
        (lambda y, x: y * torch.sigmoid(x), ["lookup", "conv", "multiply"]),
        (lambda y, x: F.relu(y) * F.silu(F.relu(y)), ["conv", "lookup"]),
        # ReLU of a value that is needed unclipped, too.
        (lambda y, x: torch.cat([y, F.relu(y)], 1), ["conv", "lookup"]),
        (lambda y, x: torch.cat([y, x], 1), ["conv"]),
        (lambda y, x: y[:, :8], ["conv"]),
        (lambda y, x: y[:, ::2], ["conv", "slice"]),
        (lambda y, x: y[:, :, 2:], ["conv", "slice"]),
        (lambda y, x: y.reshape(16, 12, 12)[None], ["conv"]),
        (lambda y, x: y.flatten(2), ["conv", "reshape"]),
        (lambda y, x: y.permute(1, 0, 2, 3), ["conv"]),
        (lambda y, x: y.permute(0, 1, 3, 2), ["conv", "transpose"]),
        (lambda y, x: F.max_pool2d(F.pad(y, (1, 0, 1, 0)), 3, 2), ["conv", "max_pool"]),
        (lambda y, x: y.mean((2, 3)), ["conv", "avg_pool"]),
        (lambda y, x: y / x, ["conv", "lookup", "multiply"]),
    ],
)
def test_operations(function: Callable[[Tensor, Tensor], Tensor], operations: list[str]) -> None:
    found = _network(Calls(function))
    assert not found.left_out
    named = [
        f"{one.op}+" if one.op == "conv" and len(one.in_shapes) > 1 else one.op for one in found.operations
    ]
    assert sorted(named) == sorted(operations)


def test_batch_normalisation_that_no_convolution_takes() -> None:
    """Behind a concatenation it is a depthwise convolution of 1x1, whose ReLU is free."""
    found = _network(nn.Sequential(nn.MaxPool2d(2), nn.BatchNorm2d(16), nn.ReLU()))
    assert [(one.op, one.kernel, one.groups) for one in found.operations] == [
        ("max_pool", (2, 2), 1),
        ("conv", (1, 1), 16),
    ]


def test_padding_is_the_windows() -> None:
    module = nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(16, 8, 3, 2))
    (conv,) = _network(module).operations
    assert conv.in_shapes == ((1, 16, 12, 12),)
    assert conv.padding == (1, 1)


def test_results_are_accumulators_unless_rounded() -> None:
    (plain,) = _network(nn.Conv2d(16, 8, 1)).operations
    (rounded,) = _network(nn.Sequential(nn.Conv2d(16, 8, 1), nn.ReLU())).operations
    assert (plain.out_bits, rounded.out_bits) == (32, 8)
    assert plain.reads_ddr and plain.writes_ddr


def test_points_are_the_hosts() -> None:
    """Normalising the sampling points that a network is given is no work of the chip."""

    class Sampler(nn.Module):
        def forward(self, x: Tensor, points: Tensor) -> Tensor:
            grid = torch.stack([(2 * points[..., 0] + 1) / 12 - 1, (2 * points[..., 1] + 1) / 12 - 1], dim=-1)
            return F.grid_sample(x, grid, align_corners=False)

    (sampling,) = _network(Sampler(), torch.zeros(1, 5, 7, 2)).operations
    assert sampling.op == "grid_sample"
    assert sampling.in_shapes == (IMAGE, (1, 5, 7, 2))


class Transformer(nn.Module):
    """Tokens of a map through attention and a perceptron."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value = nn.Linear(16, 16), nn.Linear(16, 16), nn.Linear(16, 16)
        self.norm, self.up, self.down = nn.LayerNorm(16), nn.Linear(16, 64), nn.Linear(64, 16)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.norm(x.flatten(2).transpose(1, 2))
        heads = [
            layer(tokens).unflatten(2, (4, 4)).transpose(1, 2) for layer in (self.query, self.key, self.value)
        ]
        mixed = F.scaled_dot_product_attention(*heads).transpose(1, 2).flatten(2)
        return tokens + self.down(F.gelu(self.up(mixed)))


@pytest.mark.parametrize(
    "module",
    [
        Transformer(),
        nn.ConvTranspose2d(16, 8, 4, 2, 1),
        nn.Conv2d(16, 32, 3, dilation=2, groups=4),
        nn.Sequential(nn.Flatten(2), nn.Conv1d(16, 8, 5, stride=3), nn.Flatten(), nn.Linear(376, 3)),
    ],
    ids=["transformer", "transposed", "grouped", "one dimension"],
)
def test_macs_are_those_that_torch_counts(module: nn.Module) -> None:
    # The fused kernel for CPUs is one that torch does not count.
    with FlopCounterMode(display=False) as counter, torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        module.eval()(torch.zeros(IMAGE))
    counted = sum(one.macs for one in _network(module).operations if one.has_weights)
    assert counted == counter.get_total_flops() // 2


def test_what_is_not_understood_is_listed() -> None:
    class Sorts(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return F.relu(torch.cumsum(torch.cumsum(x, 1), 2))

    found = _network(Sorts())
    assert [left_out.text for left_out in found.left_out] == [
        "2 `aten.cumsum` are not in the model (nothing is known of its cost): the estimate leaves them out; "
        "the true time is longer"
    ]
    assert [one.op for one in found.operations] == ["lookup"]


def _network(module: nn.Module, *more: Tensor) -> Network:
    with torch.no_grad():
        return network_of_program(
            torch.export.export(module.eval(), (torch.zeros(IMAGE), *more), strict=False)
        )
