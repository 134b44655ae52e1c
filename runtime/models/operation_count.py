"""Parameters and multiply-accumulates of a model, module by module.

Counted are the operations that multiply: convolutions and matrix products, and four taps a value for bilinear
resizing and sampling (the view transform). Not counted: sums, pooling, activations, and batch normalisation,
which deployment folds into the convolutions.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from runtime.models.structure import BevStructure


@dataclass(frozen=True)
class OperationRow:
    """One module, with everything inside it.

    Args:
        name: dotted name in the model.
        type: class name.
        parameters: number of weights and biases.
        macs: multiply-accumulates for one sample.
        output_shape: of its (last) call, where that gave one tensor.
    """

    name: str
    type: str
    parameters: int
    macs: int
    output_shape: tuple[int, ...] | None


@dataclass(frozen=True)
class OperationCount:
    """All modules, parents before children, and the totals of the model."""

    rows: tuple[OperationRow, ...]
    parameters: int
    macs: int


def count_operations(model: BevStructure, *, input_hw: tuple[int, int], num_views: int = 6) -> OperationCount:
    """Counts one sample of the deployed network: `num_views` images of `input_hw` = (height, width) pixels.

    Runs on the meta device: nothing is computed, and the model stays as it is.
    """
    shadow = copy.deepcopy(model).to("meta").eval()
    grid_height, grid_width = shadow.view_transformer.grid.shape
    img = torch.empty(num_views, _in_channels(shadow.backbone), *input_hw, device="meta")
    points = torch.empty(num_views, grid_height, grid_width, 2, device="meta")
    return count_calls(shadow, lambda: shadow.raw_outputs(img, points))


def count_calls(model: nn.Module, call: Callable[[], Any]) -> OperationCount:
    """Counts what `call` computes, and lays it to the account of the modules of `model`."""
    own: dict[str, int] = {}
    shapes: dict[str, tuple[int, ...]] = {}
    inside: list[str] = [""]
    handles = []
    for name, module in model.named_modules():

        def enter(_module: nn.Module, _args: Any, name: str = name) -> None:
            inside.append(name)

        def leave(_module: nn.Module, _args: Any, output: Any, name: str = name) -> None:
            inside.pop()
            if isinstance(output, Tensor):
                shapes[name] = tuple(output.shape)

        handles += [module.register_forward_pre_hook(enter), module.register_forward_hook(leave)]

    def add(macs: int) -> None:
        own[inside[-1]] = own.get(inside[-1], 0) + macs

    try:
        with torch.no_grad(), _MacCounter(add):
            call()
    finally:
        for handle in handles:
            handle.remove()
    rows = tuple(
        OperationRow(
            name=name,
            type=type(module).__name__,
            parameters=sum(parameter.numel() for parameter in module.parameters()),
            macs=sum(macs for key, macs in own.items() if f"{key}.".startswith(f"{name}.")),
            output_shape=shapes.get(name),
        )
        for name, module in model.named_modules()
        if name
    )
    return OperationCount(
        rows=rows,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        macs=sum(own.values()),
    )


def _in_channels(backbone: nn.Module) -> int:
    """Channels of an image: those of the first convolution."""
    return next(module.in_channels for module in backbone.modules() if isinstance(module, nn.Conv2d))


def _convolution(args: Sequence[Any], out: Tensor) -> int:
    """One product for each output value and weight of its filter; weights are (out, in / groups, kh, kw)."""
    weight, transposed = args[1], args[6]
    values = args[0] if transposed else out
    return values.numel() * (weight.numel() // weight.shape[0])


def _product(args: Sequence[Any], out: Tensor) -> int:
    return out.numel() * args[0].shape[-1]


def _biased_product(args: Sequence[Any], out: Tensor) -> int:
    return out.numel() * args[1].shape[-1]


def _four_taps(_args: Sequence[Any], out: Tensor) -> int:
    return 4 * out.numel()


_aten = torch.ops.aten
_RULES: dict[Any, Callable[[Sequence[Any], Tensor], int]] = {
    _aten.convolution: _convolution,
    _aten.mm: _product,
    _aten.bmm: _product,
    _aten.addmm: _biased_product,
    _aten.grid_sampler_2d: _four_taps,
    _aten.upsample_bilinear2d: _four_taps,
}


class _MacCounter(TorchDispatchMode):
    """Reports the multiply-accumulates of every operation that passes."""

    def __init__(self, add: Callable[[int], None]) -> None:
        super().__init__()
        self.add = add

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        rule = _RULES.get(func.overloadpacket)
        if rule is not None:
            self.add(rule(args, out))
        return out
