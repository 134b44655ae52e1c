"""What each tensor costs when it alone is quantised and everything else is float."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from runtime.quantization.analysis.output_error import OutputErrors
from runtime.quantization.analysis.replay import Replay
from runtime.quantization.analysis.rounding import Kind, Rounding, roundings
from runtime.quantization.analysis.task import Batch, Task, tokens
from runtime.quantization.calibration import set_state, state_of
from runtime.quantization.state import State


@dataclass(frozen=True)
class Sensitivity:
    """The cost of one rounding.

    Args:
        name: of the tensor; `<module>.weight` of a weight.
        kind: what it is.
        op: of the module that rounds it.
        bits: of its codes.
        loss_increase: of the sum of the task losses over the float model's; may be below zero by chance.
        output_error: noise / signal of the results, see `OutputErrors`.
        output_sqnr_db: the same as decibels.
    """

    name: str
    kind: Kind
    op: str
    bits: int
    loss_increase: float
    output_error: float
    output_sqnr_db: float


def sensitivities(
    task: Task, batches: Sequence[Batch], *, progress: Callable[[int, int], None] = lambda done, total: None
) -> tuple[Sensitivity, ...]:
    """One forward pass for each rounding and batch, from that rounding on; the costliest first.

    Costliest is what raises the loss most, and of equals what disturbs the results most.

    Args:
        task: the model is left in the state that it was in.
        batches: labelled.
        progress: told how many passes are done, of how many.
    """
    before = state_of(task.model)
    found = roundings(task.graph)
    increases = dict.fromkeys((rounding.name for rounding in found), 0.0)
    errors = {rounding.name: OutputErrors() for rounding in found}
    try:
        set_state(task.model, State.FLOAT)
        for number, batch in enumerate(batches):
            float_loss, exact = task.run(batch)
            with Replay(task.graph) as replay:
                for index, rounding in enumerate(found):
                    replay.start_at(rounding.module.name)
                    with rounding.switched_on():
                        loss, outputs = task.run(batch)
                    increases[rounding.name] += (loss - float_loss) / len(batches)
                    errors[rounding.name].add(exact, outputs, tokens(batch))
                    progress(number * len(found) + index + 1, len(batches) * len(found))
    finally:
        set_state(task.model, before)
    costs = [_cost(rounding, increases[rounding.name], errors[rounding.name]) for rounding in found]
    return tuple(sorted(costs, key=lambda cost: (-cost.loss_increase, -cost.output_error)))


def _cost(rounding: Rounding, increase: float, errors: OutputErrors) -> Sensitivity:
    return Sensitivity(
        name=rounding.name,
        kind=rounding.kind,
        op=rounding.module.op,
        bits=8 if rounding.quant is None else rounding.quant.bits,
        loss_increase=increase,
        output_error=errors.relative(),
        output_sqnr_db=errors.sqnr_db(),
    )
