"""Small named modules, one for each operation that rounds in fixed point.

Quantisation attaches to modules by name, so every rounding operation of a network is a module of its own,
used once: no `+`, `torch.cat` or `F.interpolate` in the forward of anything larger.
"""

from runtime.models.blocks.activation import Activation, make_activation
from runtime.models.blocks.add import Add
from runtime.models.blocks.avg_pool import BinAvgPool, GlobalAvgPool
from runtime.models.blocks.concat import Concat
from runtime.models.blocks.conv_bn_act import BnKwargs, ConvBNAct
from runtime.models.blocks.grid_sample import GridSample
from runtime.models.blocks.input import Input
from runtime.models.blocks.resize import Resize
from runtime.models.blocks.separable_conv import SeparableConv
from runtime.models.blocks.squeeze_excite import Multiply, SqueezeExcite
from runtime.models.blocks.view_sum import ViewSum

__all__ = [
    "Activation",
    "Add",
    "BinAvgPool",
    "BnKwargs",
    "Concat",
    "ConvBNAct",
    "GlobalAvgPool",
    "GridSample",
    "Input",
    "Multiply",
    "Resize",
    "SeparableConv",
    "SqueezeExcite",
    "ViewSum",
    "make_activation",
]
