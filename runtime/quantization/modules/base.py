"""What the quantised modules have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from runtime.errors import RunError
from runtime.quantization import registered_ops
from runtime.quantization.arithmetic import quantize
from runtime.quantization.arithmetic.rescale import MULTIPLIER_BITS
from runtime.quantization.config import OpName
from runtime.quantization.fake_quant import FakeQuant
from runtime.quantization.state import State

Shape = tuple[int, ...]


# Scale, bits, lowest and highest code, in the order in which registered operators take them.
CodeFormat = tuple[float, int, int, int]


def code_format(quant: FakeQuant, bounds: tuple[int, int]) -> CodeFormat:
    """What registered operators must know of codes between `bounds`."""
    return (quant.value(), quant.bits, *bounds)


class QuantizedModule(nn.Module):
    """One operation that rounds once: real numbers while ranges are found, codes in the state QUANTISE.

    Codes are float32 tensors that hold integers. What the integers mean is in the quantisers: `quant` for the
    output, `sources` for the inputs.

    Args:
        name: dotted name, also that of the output tensor.
    """

    op: ClassVar[OpName]
    # Of the output's codes. Set with the fixed-point numbers: tensors of a traced program have no values.
    output_format: CodeFormat

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.state = State.FLOAT
        self.keep_float = False
        # Whether the result leaves the network: as real numbers, for the host.
        self.is_output = False
        self.act: nn.Module | None = None
        self.quant: FakeQuant | None = FakeQuant(name)
        # Filled when the graph is known. A tuple: the quantisers belong to the modules that make the inputs.
        self.sources: tuple[FakeQuant, ...] = ()
        self.input_shapes: tuple[Shape, ...] = ()
        self.multiplier_bits = MULTIPLIER_BITS
        self.frozen = False

    def passes_codes(self, shapes: Sequence[Shape], output: Shape) -> bool:
        """Whether inputs of these shapes reach the output without being rounded."""
        return False

    def unit(self) -> float:
        """What the output's scale is a power of two times of, on a chip that needs this (`scale_grid`)."""
        return 1.0

    @abstractmethod
    def real(self, *inputs: Tensor) -> Tensor:
        """The operation on real numbers, before its activation; with rounded weights in states that round."""

    @abstractmethod
    def freeze(self) -> None:
        """Computes the integers of the fixed-point operation from scales and weights.

        Raises:
            RunError: a scale is missing, or the numbers do not fit the arithmetic.
        """

    @abstractmethod
    def integer(self, *codes: Tensor) -> Tensor:
        """The operation on codes."""

    @abstractmethod
    def exported(self, *codes: Tensor) -> Tensor:
        """As `integer`, by the operators of `registered_ops`, for `torch.export`."""

    def forward(self, *inputs: Tensor) -> Tensor:
        """Real numbers, or in the state QUANTISE codes, to the same."""
        if self.training and torch.is_grad_enabled() and self.state in (State.OBSERVE, State.QUANTISE):
            raise RunError(
                f"`{self.name}` is trained in the state `{self.state.value}`, in which nothing learns",
                hint="train in the state `quantise and observe`, as `Float2QAT` sets it",
            )
        if self.state is not State.QUANTISE:
            return self._real_rounded(*inputs)
        if not self.frozen:
            raise RunError(
                f"`{self.name}` has no fixed-point numbers for its weights and scales",
                hint="load a checkpoint of the stage `calibration` or `qat`, then enter the state `quantise`",
            )
        if self.keep_float:
            return self._in_float(*inputs)
        return self.exported(*inputs) if torch.compiler.is_compiling() else self.integer(*inputs)

    def activated(self, y: Tensor) -> Tensor:
        """After ReLU, ReLU6 or nothing."""
        return y if self.act is None else self.act(y)

    def _real_rounded(self, *inputs: Tensor) -> Tensor:
        y = self.real(*inputs)
        if self.quant is None:
            return self.activated(y)
        if type(self.act) is nn.ReLU and self.quant.rounds:
            # The lowest code of 0 is the ReLU, and its gradient too: one pass less over the map.
            return self.quant(y, low=0)
        return self.quant(self.activated(y))

    def leave(self, codes: Tensor) -> Tensor:
        """Codes of the result, or real numbers where they leave the network."""
        if self.is_output and self.quant is not None:
            return quantize.dequantize(codes, self.quant.value())
        return codes

    def leave_exported(self, codes: Tensor) -> Tensor:
        """As `leave`, by a registered operator."""
        if self.is_output and self.quant is not None:
            return registered_ops.dequantise(codes, self.output_format[0])
        return codes

    def _in_float(self, *codes: Tensor) -> Tensor:
        """The operation on real numbers between codes: what the chip would leave to its host."""
        reals = [
            quantize.dequantize(code, source.value())
            for code, source in zip(codes, self.sources, strict=False)
        ]
        y = self.activated(self.real(*reals, *codes[len(reals) :]))
        if self.quant is None:
            return y
        low, high = self.quant.bounds
        return quantize.quantize(y, self.quant.value(), lo=low, hi=high)

    def set_state(self, state: State) -> None:
        """Enter a state; QUANTISE computes the integers anew, in case a scale or a weight has changed."""
        self.state = state
        for part in self.children():
            if isinstance(part, FakeQuant):
                part.state = state
        self.frozen = False
        if state is State.QUANTISE:
            if not self.keep_float:
                self.freeze()
                if self.quant is not None:
                    self.output_format = code_format(self.quant, self.output_bounds())
            self.frozen = True

    def _load_from_state_dict(self, *args: Any) -> None:
        super()._load_from_state_dict(*args)
        self.frozen = False  # the integers were those of other weights

    def hold(self, name: str, value: Tensor) -> None:
        """Keep a tensor of integers that moves with the module and is in no checkpoint."""
        if name in self._buffers:
            del self._buffers[name]
        self.register_buffer(name, value, persistent=False)

    def output_scale(self) -> float:
        """Value of one code of the output."""
        assert self.quant is not None
        return self.quant.value()

    def output_bounds(self) -> tuple[int, int]:
        """Smallest and largest code after the activation."""
        assert self.quant is not None
        low, high = self.quant.bounds
        if isinstance(self.act, nn.ReLU6):
            return 0, min(high, int(6.0 / self.quant.value() + 0.5))
        return (0, high) if isinstance(self.act, nn.ReLU) else (low, high)

    def extra_repr(self) -> str:
        return f"op={self.op}, state={self.state.value!r}"
