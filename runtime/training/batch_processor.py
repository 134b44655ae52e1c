"""How one batch becomes one optimiser step: number format, gradient clipping, accumulation."""

from contextlib import AbstractContextManager
from typing import Any, Literal

import torch

from runtime.errors import RunError

_AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}
_LIGHTNING_PRECISION = {"fp32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}


class BatchProcessor:
    """Settings of a training step, in the words of the spec.

    Args:
        precision: number format of the forward pass; bf16 and fp16 keep weights and optimiser in fp32.
        gradient_clip_val: largest norm of the whole gradient; None leaves it alone.
        accumulate_grad_batches: batches that make one optimiser step.
    """

    def __init__(
        self,
        *,
        precision: Literal["fp32", "bf16", "fp16"] = "fp32",
        gradient_clip_val: float | None = None,
        accumulate_grad_batches: int = 1,
    ) -> None:
        self.precision = precision
        self.gradient_clip_val = gradient_clip_val
        self.accumulate_grad_batches = accumulate_grad_batches

    @property
    def allows_fused_optimizer(self) -> bool:
        """False for clipping in mixed precision: a fused optimiser unscales gradients too late for it, and
        Lightning refuses the pair for bf16 too, which scales nothing."""
        return self.precision == "fp32" or self.gradient_clip_val is None

    def lightning_arguments(self, device: str) -> dict[str, Any]:
        """The arguments of `lightning.Trainer` that mean the same.

        Raises:
            RunError: fp16 on the CPU, which has no loss scaling there.
        """
        if self.precision == "fp16" and device == "cpu":
            raise RunError("precision `fp16` does not train on `cpu`", hint="set `precision: bf16` or `fp32`")
        return {
            "precision": _LIGHTNING_PRECISION[self.precision],
            "gradient_clip_val": self.gradient_clip_val,
            "accumulate_grad_batches": self.accumulate_grad_batches,
        }

    def autocast(self, device: str) -> AbstractContextManager[Any]:
        """The number format for a forward pass outside of Lightning's loop."""
        kind = torch.device(device).type
        return torch.autocast(kind, dtype=_AUTOCAST.get(self.precision), enabled=self.precision in _AUTOCAST)
