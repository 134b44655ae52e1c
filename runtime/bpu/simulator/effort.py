"""What a check may cost, so that a program made to be slow to check is refused soon."""

from __future__ import annotations

from runtime.errors import RunError

MAX_EFFORT = 2**22
"""Some microseconds each: nearly sixty times what a full-size model needs at the level that needs most."""


class Effort:
    """Counts what a check has cost.

    Args:
        left: what it may cost.
    """

    def __init__(self, left: int = MAX_EFFORT) -> None:
        self.left = left

    def spend(self, cost: int) -> None:
        """Count what is about to be done.

        Raises:
            RunError: it would be too much.
        """
        self.left -= cost
        if self.left < 0:
            raise RunError(
                "too many instructions may run at the same time, in places too hard to compare: whether they "
                "touch the same bytes would take too long to tell"
            )
