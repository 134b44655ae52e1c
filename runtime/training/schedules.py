"""Learning-rate schedules as pure functions of the step: `step -> factor` on the optimiser's starting rate.

Convention: `step` counts optimiser steps from 0; a factor of 1 is the learning rate that the spec gives the
optimiser. Because a factor depends on nothing but the step, a schedule has no state to save and a resumed
run follows the same curve.
"""

import bisect
import math
from collections.abc import Sequence


def cosine_between(start: float, end: float, fraction: float) -> float:
    """Half a cosine from `start` (fraction 0) to `end` (fraction 1), flat at both ends."""
    return end + (start - end) * 0.5 * (1.0 + math.cos(math.pi * min(max(fraction, 0.0), 1.0)))


def cyclic(
    step: int,
    *,
    total_steps: int,
    target_ratio: Sequence[float],
    cyclic_times: int,
    step_ratio_up: float,
) -> float:
    """Cosine from 1 up to `target_ratio[0]`, then cosine down to `target_ratio[1]`, `cyclic_times` times
    over the run.

    The one-cycle policy of Smith, "Cyclical learning rates for training neural networks" (2017), with
    cosine flanks.

    Args:
        step: optimiser step, from 0.
        total_steps: steps of the whole run.
        target_ratio: factor at the top and at the end of a cycle.
        cyclic_times: number of cycles; each starts from 1 again.
        step_ratio_up: share of a cycle spent going up, in (0, 1).
    """
    period = total_steps / cyclic_times
    position = math.fmod(step, period) / period if step < total_steps else 1.0
    top, end = target_ratio
    if position < step_ratio_up:
        return cosine_between(1.0, top, position / step_ratio_up)
    return cosine_between(top, end, (position - step_ratio_up) / (1.0 - step_ratio_up))


def warmup_step(
    step: int, *, warmup_steps: int, warmup_ratio: float, milestones: Sequence[int], gamma: float
) -> float:
    """Linear from `warmup_ratio` to 1 over `warmup_steps`, then times `gamma` at each milestone (in steps,
    ascending)."""
    if step < warmup_steps:
        return warmup_ratio + (1.0 - warmup_ratio) * step / warmup_steps
    return gamma ** bisect.bisect_right(milestones, step)


def warmup_cosine(step: int, *, total_steps: int, warmup_steps: int, stop_ratio: float) -> float:
    """Linear from 1 / `warmup_steps` to 1, then cosine down to `stop_ratio` at the last step (SGDR without
    restarts)."""
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    last = max(total_steps - 1, warmup_steps + 1)
    return cosine_between(1.0, stop_ratio, (step - warmup_steps) / (last - warmup_steps))
