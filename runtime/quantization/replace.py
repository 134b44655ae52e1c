"""Puts quantised modules in the place of a model's blocks."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from runtime.errors import RunError
from runtime.models.blocks import (
    Add,
    BinAvgPool,
    Concat,
    ConvBNAct,
    GlobalAvgPool,
    GridSample,
    Input,
    Multiply,
    Resize,
    ViewSum,
)
from runtime.quantization.modules.add import QuantizedAdd
from runtime.quantization.modules.avg_pool import QuantizedAvgPool
from runtime.quantization.modules.base import QuantizedModule
from runtime.quantization.modules.concat import QuantizedConcat
from runtime.quantization.modules.conv import QuantizedConv, QuantizedLinear
from runtime.quantization.modules.grid_sample import QuantizedGridSample
from runtime.quantization.modules.input import QuantizedInput
from runtime.quantization.modules.lookup import FUNCTION_TYPES, QuantizedLookup, ThenLookup
from runtime.quantization.modules.multiply import QuantizedMultiply
from runtime.quantization.modules.resize import QuantizedResize
from runtime.quantization.modules.view_sum import QuantizedViewSum

# Activations that are bounds of the rounding before them.
_CLAMPS = (nn.ReLU, nn.ReLU6)


def replace_blocks(model: nn.Module) -> None:
    """Replace every block of `model` that rounds in fixed point, in place; names stay.

    Raises:
        RunError: a normalisation that is not folded, a block that two modules share.
    """
    _replace_below(model, "", {})


def _replace_below(module: nn.Module, prefix: str, uses: dict[nn.Module, str]) -> None:
    for key, child in list(module._modules.items()):
        if child is None:
            continue
        name = f"{prefix}{key}"
        if child in uses and (_quantised(child, name) is not None or any(True for _ in child.parameters())):
            raise RunError(
                f"the module `{name}` is also `{uses[child]}`: one set of scales cannot serve two uses",
                hint="give each use a module of its own",
            )
        uses[child] = name
        quantised = _quantised(child, name)
        if quantised is not None:
            setattr(module, key, quantised.train(child.training))
        elif isinstance(child, nn.modules.batchnorm._BatchNorm):
            raise RunError(
                f"`{name}` is a normalisation that no convolution took up",
                hint="set `qat_mode: fuse_bn` in `model_convert_pipeline`, and use `ConvBNAct` in the model",
            )
        else:
            _replace_below(child, f"{name}.", uses)


def _quantised(block: nn.Module, name: str) -> nn.Module | None:
    """The quantised module of a block, None for what holds others or only moves values."""
    if isinstance(block, ConvBNAct):
        if block.bn is not None:
            raise RunError(
                f"the normalisation of `{name}` is not folded",
                hint="set `qat_mode: fuse_bn` in `model_convert_pipeline`",
            )
        return _activated(lambda inner, act: QuantizedConv(inner, block.conv, act), name, block.act)
    if isinstance(block, Add):
        return _activated(QuantizedAdd, name, block.act)
    if isinstance(block, nn.Conv2d):
        return QuantizedConv(name, block)
    if isinstance(block, nn.Linear):
        return QuantizedLinear(name, block, None)
    if isinstance(block, Resize):
        return QuantizedResize(name, block)
    if isinstance(block, GridSample):
        return QuantizedGridSample(name, block)
    if isinstance(block, ViewSum):
        return QuantizedViewSum(name, block.num_views)
    if isinstance(block, BinAvgPool | GlobalAvgPool):
        return QuantizedAvgPool(name, block)
    if isinstance(block, FUNCTION_TYPES):
        return QuantizedLookup(name, block)
    simple: dict[type[nn.Module], type[QuantizedModule]] = {
        Concat: QuantizedConcat,
        Multiply: QuantizedMultiply,
        Input: QuantizedInput,
    }
    made = simple.get(type(block))
    return None if made is None else made(name)


def _activated(
    make: Callable[[str, nn.Module | None], QuantizedModule], name: str, activation: nn.Module | None
) -> nn.Module:
    """With an activation that clamps inside the operation, any other as a table after it."""
    if activation is None or isinstance(activation, _CLAMPS):
        return make(name, activation)
    if isinstance(activation, FUNCTION_TYPES):
        body = make(f"{name}.body", None)
        return ThenLookup(body, QuantizedLookup(f"{name}.function", activation))
    raise RunError(f"`{name}` has the activation {type(activation).__name__}, which has no fixed-point form")
