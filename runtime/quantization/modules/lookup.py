"""A function of one variable, as a table."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from runtime.quantization import registered_ops
from runtime.quantization.arithmetic import lookup as arithmetic
from runtime.quantization.config import OpName
from runtime.quantization.modules.base import QuantizedModule

_FUNCTIONS = {nn.Sigmoid: arithmetic.sigmoid, nn.SiLU: arithmetic.silu}
FUNCTION_TYPES = tuple(_FUNCTIONS)


class QuantizedLookup(QuantizedModule):
    """Sigmoid or SiLU.

    Args:
        name: see `QuantizedModule`.
        function: the float module.
    """

    op: ClassVar[OpName] = "lookup"
    table: Tensor

    def __init__(self, name: str, function: nn.Module) -> None:
        super().__init__(name)
        # In place it would change what the rounding before it keeps for its gradient.
        self.function = nn.SiLU() if isinstance(function, nn.SiLU) else function

    def real(self, *inputs: Tensor) -> Tensor:
        """Any shape to the same."""
        return self.function(inputs[0])

    def freeze(self) -> None:
        """See `QuantizedModule`."""
        assert self.quant is not None
        source, (low, high) = self.sources[0], self.quant.bounds
        table = arithmetic.table(
            _FUNCTIONS[type(self.function)],
            in_scale=source.value(),
            out_scale=self.quant.value(),
            in_bits=source.bits,
            out_bits=self.quant.bits,
            lo=low,
            hi=high,
        )
        self.hold("table", torch.from_numpy(table).float().to(self.quant.scale.device))

    def integer(self, *codes: Tensor) -> Tensor:
        """See `QuantizedModule`."""
        return self.leave(arithmetic.kernel(codes[0], self.table, bits=self.sources[0].bits))

    def exported(self, *codes: Tensor) -> Tensor:
        """See `QuantizedModule`."""
        y = registered_ops.look_up(codes[0], self.table, self.sources[0].bits, *self.output_format)
        return self.leave_exported(y)


class ThenLookup(nn.Module):
    """A quantised operation and the table after it: two roundings where float has one module.

    Args:
        body: the operation, without the function.
        function: the table.
    """

    def __init__(self, body: QuantizedModule, function: QuantizedLookup) -> None:
        super().__init__()
        self.body = body
        self.function = function

    def forward(self, *inputs: Tensor) -> Tensor:
        """As `body`, then the function."""
        return self.function(self.body(*inputs))
