"""Sum of feature maps."""

from __future__ import annotations

from torch import Tensor, nn

from runtime.models.blocks.activation import Activation, make_activation


class Add(nn.Module):
    """`act(x1 + x2 + ...)`: one operation, rounded once, in fixed point.

    Args:
        activation: None for the plain sum.
    """

    def __init__(self, *, activation: Activation | None = None) -> None:
        super().__init__()
        self.act = make_activation(activation) if activation is not None else None

    def forward(self, *maps: Tensor) -> Tensor:
        """Two or more maps (B, C, H, W) to one of that shape.

        Raises:
            ValueError: fewer than two maps, or shapes that differ; nothing is broadcast.
        """
        if len(maps) < 2 or any(x.shape != maps[0].shape for x in maps):
            raise ValueError(f"expected two or more maps of one shape, got {[tuple(x.shape) for x in maps]}")
        total = maps[0] + maps[1]
        for x in maps[2:]:
            total = total + x
        return total if self.act is None else self.act(total)
