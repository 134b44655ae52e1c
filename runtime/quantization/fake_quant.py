"""The quantiser of one tensor: its number of bits, its scale, and how that was found."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from runtime.errors import RunError
from runtime.quantization.arithmetic.rescale import code_range
from runtime.quantization.config import ScaleLearning
from runtime.quantization.observers import (
    SMALLEST_SCALE,
    FixedObserver,
    Observer,
    ObserverName,
    make_observer,
)
from runtime.quantization.scale_grid import neighbours, on_grid, step_on_grid
from runtime.quantization.state import State
from runtime.quantization.straight_through import fake_quantize

# Share of the newest batch in a range that follows the batches of QAT.
_MOVING_SHARE = 0.01
_ON_GRID = 256


class FakeQuant(nn.Module):
    """Symmetric quantisation of one tensor: code = clamp(floor(x / scale + 1/2)).

    The value of one code is `scale * (1 + gain)`; QAT learns the gain, in steps relative to the scale. The
    scale is NaN until it is found. In the state QUANTISE modules pass codes, and this module only holds what
    they compute with.

    Args:
        name: dotted name of the tensor.
    """

    scale: Tensor
    code_bits: Tensor
    gain: nn.Parameter

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.bits = 8
        self.observer_name: ObserverName | None = "mse"
        self.observer: Observer | None = None
        self.state = State.FLOAT
        self.learning: ScaleLearning = "frozen"
        # The value of a code is a power of two times this; None: any value.
        self.unit: float | None = None
        self.register_buffer("scale", torch.full((), torch.nan))
        # What the scale is for: a checkpoint of other rules must not pass for one of these.
        self.register_buffer("code_bits", torch.zeros((), dtype=torch.int32))
        # In every checkpoint, so that QAT starts from one of calibration as it is.
        self.gain = nn.Parameter(torch.zeros(()), requires_grad=False)

    @property
    def bounds(self) -> tuple[int, int]:
        """Smallest and largest code."""
        return code_range(self.bits)

    @property
    def is_fixed(self) -> bool:
        """Whether the scale is given, not observed."""
        return self.observer_name is None

    @property
    def rounds(self) -> bool:
        """Whether real numbers are rounded in the present state."""
        return self.state in (State.SIMULATE, State.QUANTISE_AND_OBSERVE)

    def fix(self, scale: float) -> None:
        """Give the scale instead of observing it."""
        self.observer_name = None
        self.scale.fill_(scale)

    def value(self) -> float:
        """The value of one code.

        Raises:
            RunError: it has never been found.
        """
        scale = float(self.scale)
        if not scale > 0 or scale == float("inf"):
            raise RunError(
                f"the tensor `{self.name}` has no scale ({scale}): the model was never calibrated",
                hint="run the stage `calibration` first",
            )
        # In float64 from the numbers of the checkpoint: the same on every machine.
        value = max(scale * (1.0 + float(self.gain.detach())), SMALLEST_SCALE)
        return value if self.unit is None else on_grid(value, self.unit)

    def code_unit(self) -> float:
        """What the value of a code is a power of two times of: of a fixed scale that itself."""
        return self.value() if self.unit is None else self.unit

    def step(self) -> Tensor:
        """As `value`, where real numbers are rounded: float32 (), with a gradient if the gain learns."""
        step = self.scale * (1.0 + self.gain)
        return step if self.unit is None else step_on_grid(step, self.unit)

    def chosen_scale(self, observer: Observer) -> float:
        """The scale that an observer finds; on a grid the better one of its neighbours there."""
        scale = observer.scale()
        return scale if self.unit is None else observer.better_scale(*neighbours(scale, self.unit))

    def start_observing(self) -> None:
        """Forget what was seen; the range of a tensor with a fixed scale is kept too, for reports."""
        if self.observer_name is None:
            self.observer = FixedObserver(float(self.scale), bits=self.bits)
        else:
            self.observer = make_observer(self.observer_name, bits=self.bits)

    def take_scale(self) -> None:
        """Take over what the observer found.

        Raises:
            RunError: it has seen nothing.
        """
        if self.observer_name is None:
            return
        if self.observer is None or self.observer.count == 0:
            raise RunError(
                f"the tensor `{self.name}` was never observed",
                hint="calibrate with batches that reach every part of the model",
            )
        with torch.no_grad():
            self.scale.fill_(self.chosen_scale(self.observer))
            self.gain.zero_()

    def learn(self, learning: ScaleLearning) -> None:
        """Choose how QAT treats the scale; fixed ones stay as they are."""
        self.learning = "frozen" if self.is_fixed else learning
        self.gain.requires_grad_(self.learning == "lsq")

    def forward(self, x: Tensor, low: int | None = None) -> Tensor:
        """A real tensor of any shape to the same, rounded in the states that round.

        Args:
            x: the tensor.
            low: smallest code, where it is not that of the bits.
        """
        if self.state is State.FLOAT:
            return x
        if self.state is State.OBSERVE:
            if self.observer is not None:
                self.observer.observe(x.detach())
            return x
        if self.state is State.QUANTISE:
            raise RunError(f"real numbers reached the quantiser of `{self.name}` among codes")
        x = x.float()  # mixed precision has fewer bits than int16
        step = self.step()
        bounds = (self.bounds[0] if low is None else low, self.bounds[1])
        learning = self.learning if self.state is State.QUANTISE_AND_OBSERVE else "frozen"
        if learning == "lsq":
            return fake_quantize(x, step, *bounds)
        if learning == "moving_average" and self.training:
            smallest, largest = torch.aminmax(x.detach())
            reach = largest.clamp(min=0) if low == 0 else torch.maximum(-smallest, largest)
            newest = (reach / (bounds[1] * (1.0 + self.gain))).clamp(min=SMALLEST_SCALE)
            self.scale.lerp_(newest, _MOVING_SHARE)
            step = self.step()
        return fake_quantize(x, step.detach(), *bounds)

    def _kind(self) -> int:
        """What a checkpoint says of the scale: the bits of its codes, and whether it is on a grid."""
        return self.bits + (0 if self.unit is None else _ON_GRID)

    def _save_to_state_dict(self, *args: Any) -> None:
        self.code_bits.fill_(self._kind())
        super()._save_to_state_dict(*args)

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *args: Any) -> None:
        fixed = float(self.scale) if self.is_fixed else None
        super()._load_from_state_dict(state_dict, prefix, *args)
        kind, scale = int(self.code_bits), float(self.scale)
        bits = kind % _ON_GRID
        if bits == self.bits and kind != self._kind():
            raise RunError(
                f"`{self.name}` was calibrated for a chip with multipliers of another number of bits",
                hint="the march has changed since: run the stage `calibration` again",
            )
        # 0 bits: a checkpoint from before its model was told its rules.
        if bits not in (0, self.bits) or (fixed is not None and scale == scale and scale != fixed):
            said = f"int{self.bits}" + ("" if fixed is None else f" at the scale {fixed:g}")
            raise RunError(
                f"`{self.name}` was calibrated as int{bits} at the scale {scale:g}, and the rules say {said}",
                hint="the rules have changed since: run the stage `calibration` again",
            )

    def extra_repr(self) -> str:
        return f"{self.name!r}, bits={self.bits}, observer={self.observer_name}, scale={float(self.scale):g}"
