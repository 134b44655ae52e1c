"""Activation functions by name."""

from __future__ import annotations

from typing import Literal, get_args

from torch import nn

Activation = Literal["relu", "relu6", "swish"]


def make_activation(name: Activation) -> nn.Module:
    """A new activation module; `swish` is x * sigmoid(x).

    Raises:
        ValueError: the name is none of those in `Activation`.
    """
    if name == "relu":
        return nn.ReLU(inplace=True)
    if name == "relu6":
        return nn.ReLU6(inplace=True)
    if name == "swish":
        return nn.SiLU(inplace=True)
    raise ValueError(f"activation is {name!r}, expected one of {get_args(Activation)}")
