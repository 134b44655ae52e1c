"""Every kernel in a module that `torch.export` takes: the exported graph gives the same codes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from runtime.quantization.arithmetic import (
    add,
    avg_pool,
    concat,
    conv,
    grid_sample,
    lookup,
    multiply,
    quantize,
    resize,
    view_sum,
)
from runtime.quantization.arithmetic.rescale import Rescale, code_range


class Network(nn.Module):
    """Images (2, 3, 12, 14) and points (2, 5, 6, 2) through every operation once.

    Args:
        bits: of all codes.
    """

    def __init__(self, bits: int) -> None:
        super().__init__()
        rng = np.random.default_rng(bits)
        self.bits = bits
        self.lo, self.hi = code_range(bits)
        weight = rng.integers(-127, 128, (20, 3, 3, 3))
        self.plan = conv.plan(weight, bits=bits)
        rescale = Rescale.of(rng.integers(2**14, 2**15, 20), rng.integers(24, 26, 20))
        table = lookup.table(
            lookup.silu,
            in_scale=4 / self.hi,
            out_scale=4 / self.hi,
            in_bits=bits,
            out_bits=bits,
            lo=self.lo,
            hi=self.hi,
        )
        self.register_buffer("weight", torch.from_numpy(weight).float())
        self.register_buffer("bias", torch.from_numpy(rng.integers(-1000, 1000, 20)).double())
        self.register_buffer("factor", rescale.factor)
        self.register_buffer("step", rescale.step)
        self.register_buffer("table", torch.from_numpy(table).float())

    def forward(self, images: Tensor, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        bounds = {"lo": self.lo, "hi": self.hi}
        rescale = Rescale(self.factor, self.step)
        layer = {"plan": self.plan, "padding": 1}
        x = quantize.quantize(images, 3 / self.hi, **bounds)
        y = conv.kernel(x, self.weight, self.bias, rescale, **layer, lo=0, hi=self.hi)
        y = conv.kernel(x, self.weight, self.bias, rescale, **layer, **bounds, residual=y, residual_m=2.0**22)
        y = lookup.kernel(y, self.table, bits=self.bits)
        mean = avg_pool.kernel(y, 2**14, 21, kernel_size=(12, 14), stride=(12, 14), bits=self.bits, **bounds)
        y = multiply.kernel(y, mean, 20000, 12 + self.bits, **bounds)
        y = add.kernel([y, y.flip(-1)], [20000, 30001], 15, **bounds)
        y = concat.kernel([y, x], [None, (2**14 + 1, 15)], **bounds)
        y = resize.bilinear(y, (17, 24), 2**14, 30, bits=self.bits, **bounds)
        y = resize.nearest(y, (9, 31))
        sampled = grid_sample.kernel(y, points, 2**14, 18, fraction_bits=2, bits=self.bits, **bounds)
        total = view_sum.kernel(sampled, 2**14, 14, num_views=2, **bounds)
        heads = conv.accumulate_kernel(x, self.weight, self.bias, **layer)
        return total, y, quantize.dequantize(heads, 2.0**-10)


@pytest.mark.parametrize(("bits", "strict"), [(8, False), (16, False), (8, True)])
def test_the_exported_graph_gives_the_same_codes(bits: int, strict: bool) -> None:
    network = Network(bits).eval()
    rng = np.random.default_rng(0)
    draw: Callable[[], tuple[Tensor, Tensor]] = lambda: (  # noqa: E731
        torch.from_numpy(rng.normal(0, 1, (2, 3, 12, 14))).float(),
        torch.from_numpy(rng.integers(-8, 128, (2, 5, 6, 2))).float(),
    )
    program = torch.export.export(network, draw(), strict=strict)
    for _ in range(3):
        inputs = draw()
        expected, result = network(*inputs), program.module()(*inputs)
        for codes, exported in zip(expected, result, strict=True):
            assert len(codes.unique()) > 20
            assert torch.equal(codes, exported)
