"""How far estimates are from silicon, in the words of every report."""

from __future__ import annotations


def error_words(leave_one_out: float | None, networks: int) -> str:
    """The error of a kind of estimate, or why there is none.

    Args:
        leave_one_out: mean absolute relative error of networks that the fit has not seen; None: not known.
        networks: how many are measured.
    """
    if networks == 0:
        return "no measurement of this march: order of magnitude"
    if leave_one_out is None:
        measured = "1 network" if networks == 1 else f"{networks} networks"
        return f"{measured} measured, too few for an error: order of magnitude"
    return f"± {100 * leave_one_out:.1f} % (leave-one-out over {networks} measured networks, one image a run)"
