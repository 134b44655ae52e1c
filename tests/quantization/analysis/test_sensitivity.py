"""Sensitivities against switching one rounding on by hand."""

import pytest
import torch
from labelled_network import labelled_batches, labelled_task, sensitive_batches, sensitive_task

from runtime.quantization.analysis.sensitivity import sensitivities
from runtime.quantization.calibration import set_state, state_of
from runtime.quantization.state import State
from runtime.quantization.straight_through import fake_quantize


def test_every_rounding_once_and_ranked() -> None:
    batches = labelled_batches()
    task = labelled_task(batches)
    calls: list[tuple[int, int]] = []
    found = sensitivities(task, batches, progress=lambda done, total: calls.append((done, total)))
    names = {"img", "stem", "stem.weight", "project.weight", "add", "sample", "sample.points"}
    assert {item.name for item in found} == names | {"near.weight", "far.weight"}
    assert [item.loss_increase for item in found] == sorted(
        (item.loss_increase for item in found), reverse=True
    )
    assert calls == [(done, 18) for done in range(1, 19)]
    assert state_of(task.model) is State.QUANTISE


def test_a_weight_by_hand() -> None:
    batches = labelled_batches()
    task = labelled_task(batches)
    found = next(item for item in sensitivities(task, batches) if item.name == "near.weight")
    module = task.graph.modules["near"]
    set_state(task.model, State.FLOAT)
    exact = [task.run(batch) for batch in batches]
    with torch.no_grad():
        module.layer.weight.copy_(fake_quantize(module.layer.weight, module.weight_scale, -127, 127))
    rounded = [task.run(batch) for batch in batches]
    increase = sum(after[0] - before[0] for before, after in zip(exact, rounded, strict=True)) / 2
    assert found.loss_increase == pytest.approx(increase, abs=1e-9)
    before, after = (torch.cat([run[1]["near"] for run in runs]).double() for runs in (exact, rounded))
    share = (before - after).square().sum() / before.square().sum()
    # The other of the two results does not see this weight.
    assert found.output_error == pytest.approx(float(share) / 2)
    assert (found.kind, found.op, found.bits) == ("weight", "conv", 8)


def test_an_input_that_codes_hold_exactly_costs_nothing() -> None:
    batches = labelled_batches()
    for batch in batches:
        batch["img"] = (batch["img"] * 128).round() / 128
    found = {item.name: item for item in sensitivities(labelled_task(batches), batches)}
    assert found["img"].loss_increase == 0
    assert found["img"].output_sqnr_db == 200


def test_the_sensitive_tensor_is_first() -> None:
    batches = sensitive_batches()
    found = sensitivities(sensitive_task(batches), batches)
    assert found[0].name == "wide"
    assert found[0].loss_increase > 10 * found[1].loss_increase
