"""Where images enter a network."""

from __future__ import annotations

from torch import Tensor, nn


class Input(nn.Module):
    """Passes its input on; fixed point turns it into codes here."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        return x
