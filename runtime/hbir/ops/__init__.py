"""The operations of the graph, one class each; its docstring is the formula."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from runtime.hbir.ops.add import Add
from runtime.hbir.ops.avg_pool import AvgPool
from runtime.hbir.ops.concat import Concat
from runtime.hbir.ops.conv import Conv
from runtime.hbir.ops.flip import Flip
from runtime.hbir.ops.grid_sample import GridSample
from runtime.hbir.ops.linear import Linear
from runtime.hbir.ops.lookup import Lookup
from runtime.hbir.ops.max_pool import MaxPool
from runtime.hbir.ops.multiply import Multiply
from runtime.hbir.ops.operation import Operation
from runtime.hbir.ops.reshape import Reshape
from runtime.hbir.ops.resize_bilinear import ResizeBilinear
from runtime.hbir.ops.resize_nearest import ResizeNearest
from runtime.hbir.ops.slice import Slice
from runtime.hbir.ops.transpose import Transpose
from runtime.hbir.ops.view_sum import ViewSum

_ALL: tuple[Operation, ...] = (
    *(Conv(), Linear(), Add(), Multiply(), Concat(), Lookup(), ViewSum()),
    *(AvgPool(), MaxPool(), ResizeBilinear(), ResizeNearest(), GridSample()),
    *(Slice(), Reshape(), Transpose(), Flip()),
)
OPERATIONS: Mapping[str, Operation] = MappingProxyType({operation.name: operation for operation in _ALL})
"""By the name that nodes have in `Node.op`."""
