"""Which tensors to raise to 16 bits: the most harmful first, measured together.

A tensor's harm is its share of the loss that all tensors cost when each is quantised alone, plus its share of
the disturbance of the results: measured on few samples the loss alone is half chance, and the disturbance
alone does not know what matters to the task.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from runtime.errors import RunError
from runtime.quantization.analysis.network_work import CycleModel, NetworkCost, network_cost
from runtime.quantization.analysis.output_error import OutputErrors
from runtime.quantization.analysis.raising import RAISED_BITS, Raising, bits_restored
from runtime.quantization.analysis.sensitivity import Sensitivity
from runtime.quantization.analysis.task import Batch, Task, tokens
from runtime.quantization.calibration import set_state, state_of
from runtime.quantization.fake_quant import FakeQuant
from runtime.quantization.graph import QuantizedGraph
from runtime.quantization.state import State

_NEARLY = 0.95
"""The share of the best measured gain that is as good as all of it: losses differ by chance."""


@dataclass(frozen=True)
class PlanStep:
    """One tensor raised.

    Args:
        name: of the tensor.
        rule: as a spec writes it.
        loss_increase: of its rounding to 8 bits, alone.
        output_error: of the same.
        extra: cost, beside the steps before it.
    """

    name: str
    rule: Mapping[str, Any]
    loss_increase: float
    output_error: float
    extra: NetworkCost


@dataclass(frozen=True)
class PlanPoint:
    """The fixed-point model with the first `raised` steps taken, as measured.

    Args:
        raised: number of steps.
        loss: mean over the batches of the sum of the losses.
        output_sqnr_db: of the results against the float model, see `OutputErrors`.
        extra: cost, beside the model without any step.
    """

    raised: int
    loss: float
    output_sqnr_db: float
    extra: NetworkCost


@dataclass(frozen=True)
class Skipped:
    """A tensor of 8 bits that cannot be raised, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Plan:
    """Steps in the order in which to take them.

    Args:
        float_loss: of the float model on the same batches.
        base: cost of the model as it is.
        steps: all that can be taken.
        points: measured numbers of steps: 0, 1, 2, 4, ... and all.
        chosen: the fewest measured steps that take back the wanted share of the loss that fixed point costs;
            where none does, the fewest that come within a twentieth of the best gain that was measured, since
            more of them would cost without a gain; 0 where fixed point costs nothing.
        wanted: that share.
        skipped: what was passed over.
    """

    float_loss: float
    base: NetworkCost
    steps: tuple[PlanStep, ...]
    points: tuple[PlanPoint, ...]
    chosen: int
    wanted: float
    skipped: tuple[Skipped, ...]

    @property
    def rules(self) -> tuple[Mapping[str, Any], ...]:
        """The rules of the chosen steps."""
        return tuple(step.rule for step in self.steps[: self.chosen])


def make_plan(
    task: Task,
    batches: Sequence[Batch],
    costs: Sequence[Sensitivity],
    largest: Mapping[str, float],
    *,
    cycles: CycleModel | None = None,
    wanted: float = 0.5,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Plan:
    """Raise the most harmful tensor, then the next; measure fixed point at 0, 1, 2, 4, ... and all.

    Args:
        task: its model is left as it was.
        batches: labelled.
        costs: of the tensors; weights and what has 16 bits are passed over.
        largest: magnitude seen of each tensor, for tensors without an observer.
        cycles: of the chip.
        wanted: share, in (0, 1], of the loss that fixed point costs.
        progress: told how many tensors are raised, of how many.
    """
    before, graph = state_of(task.model), task.graph
    candidates = most_harmful_first(
        [cost for cost in costs if cost.kind == "activation" and cost.bits < RAISED_BITS]
    )
    try:
        measure = _Measure(task, batches)
        with bits_restored(graph):
            set_state(task.model, State.QUANTISE)
            climb = _Climb(graph, cycles)
            points = [measure.point(0, climb.extra())]
            for index, cost in enumerate(candidates):
                raised = climb.take(cost, largest[cost.name])
                if raised and _is_power_of_two(len(climb.steps)):
                    points.append(measure.point(len(climb.steps), climb.extra()))
                progress(index + 1, len(candidates))
            if len(climb.steps) > points[-1].raised:
                points.append(measure.point(len(climb.steps), climb.extra()))
    finally:
        set_state(task.model, before)
    return Plan(
        float_loss=measure.float_loss,
        base=climb.base,
        steps=tuple(climb.steps),
        points=tuple(points),
        chosen=chosen_steps(measure.float_loss, points, wanted),
        wanted=wanted,
        skipped=tuple(climb.skipped),
    )


def most_harmful_first(costs: Sequence[Sensitivity]) -> list[Sensitivity]:
    """By loss_increase / sum |loss_increase| + output_error / sum output_error."""
    loss = sum(abs(cost.loss_increase) for cost in costs) or 1.0
    error = sum(cost.output_error for cost in costs) or 1.0
    return sorted(costs, key=lambda cost: -(cost.loss_increase / loss + cost.output_error / error))


def chosen_steps(float_loss: float, points: Sequence[PlanPoint], wanted: float) -> int:
    """See `Plan.chosen`."""
    gap = points[0].loss - float_loss
    if gap <= 0:
        return 0
    for point in points[1:]:
        if points[0].loss - point.loss >= wanted * gap:
            return point.raised
    best = points[0].loss - min(point.loss for point in points)
    return next(point.raised for point in points if points[0].loss - point.loss >= _NEARLY * best)


class _Climb:
    """Raises tensors, counts the cost, notes what cannot be raised.

    Args:
        graph: of a model in the state QUANTISE.
        cycles: of the chip.
    """

    def __init__(self, graph: QuantizedGraph, cycles: CycleModel | None) -> None:
        self.graph = graph
        self.cycles = cycles
        self.steps: list[PlanStep] = []
        self.skipped: list[Skipped] = []
        self.base = self._cost = network_cost(graph, cycles)
        self._raising = Raising(graph)
        self._quants = graph.quantisers()

    def extra(self) -> NetworkCost:
        """Of all steps so far."""
        return self._cost - self.base

    def take(self, cost: Sensitivity, largest: float) -> bool:
        """Raise a tensor; False where that cannot be."""
        quant = self._quants[cost.name]
        if quant.is_fixed:
            self.skipped.append(Skipped(cost.name, "its scale is fixed: more bits would not make it finer"))
            return False
        try:
            total = self._cost_with(quant)
            self._raising.raise_tensor(quant, largest)
        except RunError as error:
            self.skipped.append(Skipped(cost.name, error.message))
            return False
        rule = {"match": cost.name, "bits": RAISED_BITS}
        step = PlanStep(cost.name, rule, cost.loss_increase, cost.output_error, total - self._cost)
        self.steps.append(step)
        self._cost = total
        return True

    def _cost_with(self, quant: FakeQuant) -> NetworkCost:
        before = quant.bits
        quant.bits = RAISED_BITS
        try:
            return network_cost(self.graph, self.cycles)
        finally:
            quant.bits = before


class _Measure:
    """Losses and errors of results, against the float model.

    Args:
        task: see `make_plan`.
        batches: see `make_plan`.
    """

    def __init__(self, task: Task, batches: Sequence[Batch]) -> None:
        self.task = task
        self.batches = batches
        set_state(task.model, State.FLOAT)
        self._exact: list[dict[str, Tensor]] = []
        self.float_loss = 0.0
        for batch in batches:
            loss, outputs = task.run(batch)
            self.float_loss += loss / len(batches)
            self._exact.append(outputs)

    def point(self, raised: int, extra: NetworkCost) -> PlanPoint:
        """Of the model in the state QUANTISE, as it is now."""
        errors, total = OutputErrors(), 0.0
        for batch, exact in zip(self.batches, self._exact, strict=True):
            loss, outputs = self.task.run(batch)
            total += loss / len(self.batches)
            errors.add(exact, outputs, tokens(batch))
        return PlanPoint(raised, total, errors.sqnr_db(), extra)


def _is_power_of_two(number: int) -> bool:
    return number > 0 and number & (number - 1) == 0
