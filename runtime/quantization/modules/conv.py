"""Convolution or linear layer: integer products, bias, one rescale, clamp at the activation's bounds."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from runtime.quantization import registered_ops
from runtime.quantization.arithmetic import conv as arithmetic
from runtime.quantization.arithmetic.rescale import MAX_SHIFT, Rescale
from runtime.quantization.config import OpName, ScaleLearning, WeightScaleMethod
from runtime.quantization.fake_quant import FakeQuant
from runtime.quantization.modules.base import QuantizedModule
from runtime.quantization.scale_grid import needs_grid, steps_of_few_bits
from runtime.quantization.snap import WEIGHT_BOUND, SnappedWeights, snap_weights
from runtime.quantization.state import State
from runtime.quantization.straight_through import fake_quantize
from runtime.quantization.weight_scales import neighbour_scales, weight_scales


class WeightedModule(QuantizedModule):
    """What convolutions and linear layers have in common: weights of int8, one scale an output channel.

    Where a sum takes the accumulator directly (`rounded_by` is set), the sum rounds, at this module's
    multipliers; `quant` is None then.

    Args:
        name: see `QuantizedModule`.
        layer: the float layer with its bias, normalisation folded into it.
        activation: ReLU, ReLU6 or None.
    """

    weight_scale: Tensor
    weight_codes: Tensor
    bias_codes: Tensor
    step: Tensor
    factor: Tensor
    shift_step: Tensor

    def __init__(self, name: str, layer: nn.Conv2d | nn.Linear, activation: nn.Module | None) -> None:
        super().__init__(name)
        if layer.bias is None:
            layer.bias = nn.Parameter(torch.zeros(len(layer.weight), device=layer.weight.device))
        self.layer = layer
        self.act = activation
        self.register_buffer("weight_scale", torch.full((len(layer.weight),), torch.nan))
        # As in `FakeQuant`.
        self.weight_gain = nn.Parameter(torch.zeros(len(layer.weight)), requires_grad=False)
        self.learning: ScaleLearning = "frozen"
        # In a tuple: the sum's quantiser is no part of this module.
        self._rounded_by: tuple[()] | tuple[FakeQuant] = ()
        # Largest shift at which a sum that takes the accumulator can still add its other input.
        self.max_shift = MAX_SHIFT
        self.plan: arithmetic.ConvPlan | None = None
        self.codes: SnappedWeights | None = None

    @property
    def rounded_by(self) -> FakeQuant | None:
        """The quantiser of the sum that takes the accumulator, None where the result is rounded here."""
        return self._rounded_by[0] if self._rounded_by else None

    def leave_rounding_to(self, quant: FakeQuant) -> None:
        """Give the accumulator on, to a sum whose quantiser is `quant`."""
        self.quant, self._rounded_by = None, (quant,)

    @property
    def bias(self) -> Tensor:
        """(O,) real values."""
        assert self.layer.bias is not None
        return self.layer.bias

    def choose_weight_scale(self, method: WeightScaleMethod) -> None:
        """Set the scales of the weights from the weights, and from the scales beside them on a grid."""
        weight = self.layer.weight.detach()
        with torch.no_grad():
            scales = weight_scales(weight, method=method)
            unit = self._unit_step()
            if unit is not None:
                scales = neighbour_scales(weight, scales, unit=unit, bits=self.multiplier_bits)
            self.weight_scale.copy_(scales)
            self.weight_gain.zero_()

    def _unit_step(self) -> Tensor | None:
        """The value () of a weight code whose products are codes of the output; None where it can be any."""
        rounding = self.rounded_by or self.quant
        if not needs_grid(self.multiplier_bits) or rounding is None or rounding.bits == 32:
            return None
        return (rounding.step() / self.sources[0].step()).detach()

    def learn(self, learning: ScaleLearning) -> None:
        """Choose how QAT treats the scales of the weights."""
        self.learning = learning
        self.weight_gain.requires_grad_(learning == "lsq")

    def real_weight(self) -> Tensor:
        """The weights, rounded in the states that round."""
        weight = self.layer.weight
        if self.keep_float or self.state not in (State.SIMULATE, State.QUANTISE_AND_OBSERVE):
            return weight
        learning = self.learning if self.state is State.QUANTISE_AND_OBSERVE else "frozen"
        if learning == "moving_average" and self.training:
            self.choose_weight_scale("max")
        step = self.weight_scale * (1.0 + self.weight_gain)
        unit = self._unit_step()
        if unit is not None:
            step = steps_of_few_bits(step, unit, bits=self.multiplier_bits)
        learned = step if learning == "lsq" else step.detach()
        return fake_quantize(weight, learned, -WEIGHT_BOUND, WEIGHT_BOUND)

    def real_weight_scale(self) -> NDArray[np.float64]:
        """(O,) value of one weight code, before it is snapped."""
        scale = self.weight_scale.double() * (1.0 + self.weight_gain.detach().double())
        return scale.cpu().numpy()

    def freeze(self) -> None:
        """See `QuantizedModule`."""
        source = self.sources[0]
        rounding = self.rounded_by or self.quant
        accumulates = rounding is None or rounding.bits == 32
        weight = self.layer.weight.detach().double().cpu().numpy()
        self.codes = snap_weights(
            self.name,
            weight.reshape(*weight.shape, *[1] * (4 - weight.ndim)),
            self.bias.detach().double().cpu().numpy(),
            self.real_weight_scale(),
            in_scale=source.value(),
            out_scale=None if accumulates or rounding is None else rounding.value(),
            max_shift=self.max_shift,
            bits=self.multiplier_bits,
        )
        arithmetic.check_accumulator(self.name, self.codes.weight, self.codes.bias, bits=source.bits)
        self.plan = arithmetic.plan(self.codes.weight, bits=source.bits)
        device = self.layer.weight.device
        self.hold("weight_codes", torch.from_numpy(self.codes.weight).to(device, torch.float32))
        self.hold("bias_codes", torch.from_numpy(self.codes.bias).to(device, torch.float64))
        if self.codes.multiplier is None or self.codes.shift is None:
            step = torch.from_numpy(np.asarray(self.codes.scale * source.value()))
            self.hold("step", step.view(-1, 1, 1).to(device))
        else:
            rescale = Rescale.of(self.codes.multiplier, self.codes.shift).to(device)
            self.hold("factor", rescale.factor)
            self.hold("shift_step", rescale.step)

    @property
    def rescale(self) -> Rescale | None:
        """What an accumulator is rounded with, None where it is the result."""
        if self.codes is None or self.codes.multiplier is None:
            return None
        return Rescale(self.factor, self.shift_step)

    def integer(self, *codes: Tensor) -> Tensor:
        """See `QuantizedModule`; float64 accumulators where a sum rounds."""
        assert self.plan is not None
        x = self._as_map(codes[0])
        layout = self._layout()
        rescale = self.rescale
        if rescale is None or self.rounded_by is not None:
            acc = arithmetic.accumulate_kernel(
                x, self.weight_codes, self.bias_codes, plan=self.plan, **layout
            )
            return acc if self.rounded_by is not None else self._as_result((acc * self.step).float())
        low, high = self.output_bounds()
        y = arithmetic.kernel(
            x, self.weight_codes, self.bias_codes, rescale, plan=self.plan, lo=low, hi=high, **layout
        )
        return self._as_result(self.leave(y))

    def exported(self, *codes: Tensor) -> Tensor:
        """See `QuantizedModule`."""
        layout = self._layout()
        window = (layout["stride"], layout["padding"], layout["dilation"], layout["groups"])
        if self.rescale is None or self.rounded_by is not None:
            acc = registered_ops.accumulate(codes[0], self.weight_codes, self.bias_codes, *window)
            return acc if self.rounded_by is not None else registered_ops.dequantise_channels(acc, self.step)
        y = registered_ops.convolve(
            codes[0], self.weight_codes, self.bias_codes, self.rescale.factor, *window, *self.output_format
        )
        return self.leave_exported(y)

    @abstractmethod
    def _layout(self) -> dict[str, Any]:
        """Stride, padding, dilation and groups."""

    def _as_map(self, x: Tensor) -> Tensor:
        return x

    def _as_result(self, y: Tensor) -> Tensor:
        return y


class QuantizedConv(WeightedModule):
    """`act(conv(x) + b)`, rounded once.

    Args:
        name: see `QuantizedModule`.
        layer: the convolution, with zero padding.
        activation: ReLU, ReLU6 or None.

    Raises:
        ValueError: another kind of padding.
    """

    op: ClassVar[OpName] = "conv"
    layer: nn.Conv2d

    def __init__(self, name: str, layer: nn.Conv2d, activation: nn.Module | None = None) -> None:
        if layer.padding_mode != "zeros" or isinstance(layer.padding, str):
            raise ValueError(f"`{name}`: fixed point pads with zeros by numbers, not {layer.padding!r}")
        super().__init__(name, layer, activation)

    def real(self, *inputs: Tensor) -> Tensor:
        """(B, C, H, W) to (B, O, H', W')."""
        layer = self.layer
        return F.conv2d(
            inputs[0],
            self.real_weight(),
            layer.bias,
            layer.stride,
            layer.padding,
            layer.dilation,
            layer.groups,
        )

    def _layout(self) -> dict[str, Any]:
        layer = self.layer
        return {
            "stride": layer.stride,
            "padding": layer.padding,
            "dilation": layer.dilation,
            "groups": layer.groups,
        }


class QuantizedLinear(WeightedModule):
    """A linear layer: a convolution of one pixel."""

    op: ClassVar[OpName] = "linear"
    layer: nn.Linear

    def real(self, *inputs: Tensor) -> Tensor:
        """(B, C) to (B, O)."""
        return F.linear(inputs[0], self.real_weight(), self.layer.bias)

    def _layout(self) -> dict[str, Any]:
        return {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1}

    def _as_map(self, x: Tensor) -> Tensor:
        return x[:, :, None, None]

    def _as_result(self, y: Tensor) -> Tensor:
        return y.flatten(1)
