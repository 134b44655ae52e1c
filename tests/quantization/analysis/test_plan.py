"""The plan's predictions come true when its rules are applied."""

import pytest
from labelled_network import labelled_batches, labelled_task, sensitive_batches, sensitive_task

from runtime.errors import RunError
from runtime.quantization.analysis.compare import compare
from runtime.quantization.analysis.network_work import NetworkCost
from runtime.quantization.analysis.plan import Plan, PlanPoint, chosen_steps, make_plan, most_harmful_first
from runtime.quantization.analysis.sensitivity import Sensitivity, sensitivities
from runtime.quantization.analysis.task import Task
from runtime.quantization.calibration import state_of
from runtime.quantization.config import QuantizationRule
from runtime.quantization.state import State

LARGEST = dict.fromkeys(("img", "stem", "add", "sample", "wide", "calm"), 1.0)


def planned(task: Task, batches: list[dict[str, object]], **options: object) -> Plan:
    return make_plan(task, batches, sensitivities(task, batches), LARGEST, **options)  # type: ignore[arg-type]


def test_first_rule_mends_a_sensitive_model_as_predicted() -> None:
    batches = sensitive_batches()
    task = sensitive_task(batches)
    before = compare(task, batches)
    plan = planned(task, batches)
    assert plan.steps[0].rule == {"match": "wide", "bits": 16}
    assert plan.chosen == 1
    # Applied as a spec applies it: converted and calibrated anew.
    after = compare(sensitive_task(batches, QuantizationRule(**plan.rules[0])), batches)
    assert after.output_sqnr_db > before.output_sqnr_db + 15
    assert after.fixed_loss < before.fixed_loss / 10
    assert plan.points[0].loss == before.fixed_loss
    assert plan.points[0].output_sqnr_db == before.output_sqnr_db
    assert plan.points[1].loss == after.fixed_loss
    assert plan.points[1].output_sqnr_db == after.output_sqnr_db


def test_all_steps_together_are_measured_as_predicted() -> None:
    batches = labelled_batches()
    task = labelled_task(batches)
    plan = planned(task, batches)
    assert {step.name for step in plan.steps} == {"stem", "add", "sample"}
    assert [point.raised for point in plan.points] == [0, 1, 2, 3]
    rules = [QuantizationRule(**step.rule) for step in plan.steps]
    for point in plan.points:
        anew = compare(labelled_task(batches, *rules[: point.raised]), batches)
        assert point.loss == anew.fixed_loss
        assert point.output_sqnr_db == anew.output_sqnr_db


def test_the_model_is_left_as_it_was() -> None:
    batches = labelled_batches()
    task = labelled_task(batches)
    expected = task.run(batches[0])[0]
    planned(task, batches)
    assert state_of(task.model) is State.QUANTISE
    assert task.run(batches[0])[0] == expected
    assert all(quant.bits == 8 for name, quant in task.graph.quantisers().items() if name != "sample.points")


def test_costs_of_steps_add_up() -> None:
    batches = labelled_batches()
    task = labelled_task(batches)
    plan = planned(task, batches, cycles=lambda operation, in_bits, out_bits: float(in_bits))
    for point in plan.points:
        steps = [step.extra for step in plan.steps[: point.raised]]
        assert point.extra.macs == sum(extra.macs for extra in steps)
        assert point.extra.bytes == sum(extra.bytes for extra in steps)
        assert point.extra.cycles == sum(extra.cycles or 0.0 for extra in steps)
    assert plan.base.cycles == 8 * len(task.graph.operations)
    extra = {step.name: step.extra for step in plan.steps}
    # `sample` (6 x 5 x 6) is written once and read by both heads, one byte a value more each time.
    assert extra["sample"] == NetworkCost(macs=30 * (2 * 54 + 6), bytes=3 * 180, cycles=16.0)


def test_what_cannot_be_raised_is_told() -> None:
    batches = labelled_batches()
    task = labelled_task(batches)

    def cycles(operation: object, in_bits: int, out_bits: int) -> float:
        if getattr(operation, "op", None) == "grid_sample" and in_bits > 8:
            raise RunError("`grid_sample` takes int8")
        return 1.0

    plan = planned(task, batches, cycles=cycles)
    skipped = {item.name: item.reason for item in plan.skipped}
    assert skipped == {
        "add": "`grid_sample` takes int8",
        "img": "its scale is fixed: more bits would not make it finer",
    }
    assert {step.name for step in plan.steps} == {"stem", "sample"}


def point(raised: int, loss: float) -> PlanPoint:
    return PlanPoint(raised, loss, 0.0, NetworkCost(0, 0, None))


@pytest.mark.parametrize(
    ("losses", "wanted", "chosen"),
    [
        ([2.0, 1.8, 1.4, 1.1], 0.5, 2),
        ([2.0, 1.8, 1.4, 1.1], 0.9, 4),
        ([2.0, 1.9, 1.7, 1.8], 0.9, 2),
        ([2.0, 1.9, 1.71, 1.7], 0.9, 2),
        ([2.0, 2.1, 2.2], 0.5, 0),
        ([0.9, 0.5], 0.5, 0),
    ],
)
def test_fewest_steps_that_take_back_the_wanted_share(
    losses: list[float], wanted: float, chosen: int
) -> None:
    points = [point(raised, loss) for raised, loss in zip((0, 1, 2, 4), losses, strict=False)]
    assert chosen_steps(1.0, points, wanted) == chosen


def test_harm_is_loss_and_disturbance() -> None:
    def cost(name: str, loss: float, error: float) -> Sensitivity:
        return Sensitivity(name, "activation", "conv", 8, loss, error, 0.0)

    # Shares of 0.1 + 0.0, 0.0 + 0.3, -0.2 + 0.7 and 0.7 + 0.0.
    costs = [cost("a", 0.1, 0.0), cost("b", 0.0, 3.0), cost("c", -0.2, 7.0), cost("d", 0.7, 0.0)]
    assert [item.name for item in most_harmful_first(costs)] == ["d", "c", "b", "a"]
