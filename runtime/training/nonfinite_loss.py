"""Stops a run at the first loss that is not a number, before it reaches a checkpoint."""

from collections.abc import Mapping, Sequence
from math import isfinite

import torch
from torch import Tensor

from runtime.errors import RunError


class NonfiniteLossGuard:
    """Looks at every batch's losses, one transfer a batch at most.

    On the CPU a batch is judged at once. On a GPU reading a value waits for the device, so a batch is
    judged when the next one comes: its forward pass has long ended then and the queue stays filled. `check`
    must run before a checkpoint is saved.
    """

    def __init__(self) -> None:
        self._waiting: tuple[Tensor, list[str], list[str], int] | None = None

    def watch(self, losses: Mapping[str, Tensor], tokens: Sequence[str], step: int) -> None:
        """Take note of a batch's named losses.

        Raises:
            RunError: a loss of this batch (CPU) or of the one before (GPU) is NaN or infinite.
        """
        self.check()
        values = torch.stack([value.detach().float() for value in losses.values()])
        self._waiting = (values, list(losses), list(tokens), step)
        if values.device.type == "cpu":
            self.check()

    def check(self) -> None:
        """Judge the batch that waits.

        Raises:
            RunError: one of its losses is NaN or infinite; the message names losses and sample tokens.
        """
        if self._waiting is None:
            return
        values, names, tokens, step = self._waiting
        self._waiting = None
        numbers = values.tolist()
        bad = [
            f"`{name}` = {value}" for name, value in zip(names, numbers, strict=True) if not isfinite(value)
        ]
        if bad:
            raise RunError(
                f"loss is not finite at step {step}: {', '.join(bad)}; "
                f"sample tokens of the batch: {', '.join(tokens)}",
                hint="look at these samples, lower the learning rate or clip gradients; "
                "the last good checkpoint is kept",
            )
