"""Errors of layers against running both models by hand."""

import pytest
import torch
from labelled_network import LabelledNetwork, labelled_batches, labelled_task
from torch.nn import functional as F

from runtime.errors import RunError
from runtime.quantization.analysis.capture import real_values, sample, watching
from runtime.quantization.analysis.compare import Comparison, compare
from runtime.quantization.analysis.sensitivity import sensitivities
from runtime.quantization.analysis.signal_error import decibels
from runtime.quantization.analysis.task import Task
from runtime.quantization.calibration import set_state, state_of
from runtime.quantization.config import QuantizationConfig, QuantizationRule
from runtime.quantization.convert import convert
from runtime.quantization.modules.conv import QuantizedConv
from runtime.quantization.state import State


@pytest.fixture(scope="module")
def task() -> Task:
    return labelled_task(labelled_batches())


@pytest.fixture(scope="module")
def comparison(task: Task) -> Comparison:
    return compare(task, labelled_batches())


def layer(comparison: Comparison, name: str):  # type: ignore[no-untyped-def]
    return next(item for item in comparison.layers if item.name == name)


def test_losses_are_those_of_both_states(task: Task, comparison: Comparison) -> None:
    for state, loss in ((State.FLOAT, comparison.float_loss), (State.QUANTISE, comparison.fixed_loss)):
        set_state(task.model, state)
        with torch.no_grad():
            losses = [sum(float(x) for x in task.losses(batch).values()) for batch in labelled_batches()]
        assert loss == pytest.approx(sum(losses) / 2)
    assert comparison.num_samples == 6


def test_float_state_is_the_float_network(comparison: Comparison) -> None:
    torch.manual_seed(0)
    model = LabelledNetwork().eval()
    with torch.no_grad():
        losses = [sum(float(x) for x in model.losses(batch).values()) for batch in labelled_batches()]
    assert comparison.float_loss == pytest.approx(sum(losses) / 2)


def test_rounding_of_one_tensor_alone(task: Task, comparison: Comparison) -> None:
    exact = []
    set_state(task.model, State.FLOAT)
    with watching(task.graph, lambda module, inputs, output: exact.append(output), {"stem"}):
        for batch in labelled_batches():
            task.run(batch)
    quant = task.graph.quantisers()["stem"]
    values = torch.cat(exact).double()
    codes = (values / float(quant.scale)).round().clamp(-128, 127)
    noise = (codes * float(quant.scale) - values).square().sum()
    alone = layer(comparison, "stem").alone
    assert alone.sqnr_db == pytest.approx(decibels(float(values.square().sum()), float(noise)), abs=1e-3)


def test_a_weight_alone(task: Task, comparison: Comparison) -> None:
    module = task.graph.modules["stem"]
    assert isinstance(module, QuantizedConv)
    weight = module.layer.weight.detach().double()
    set_state(task.model, State.QUANTISE)
    assert module.codes is not None
    rounded = torch.from_numpy(module.codes.weight * module.codes.scale.reshape(-1, 1, 1, 1))
    found = layer(comparison, "stem.weight")
    assert (found.op, found.bits, found.accumulated) == ("weight", 8, None)
    expected = decibels(float(weight.square().sum()), float((weight - rounded).square().sum()))
    assert found.alone.sqnr_db == pytest.approx(expected)


def test_an_accumulator_has_the_scales_of_input_and_weight(task: Task, comparison: Comparison) -> None:
    """`project` is rounded by the sum: its float64 accumulator is what is compared."""
    module = task.graph.modules["project"]
    assert isinstance(module, QuantizedConv) and module.rounded_by is not None
    inputs, outputs = [], []
    set_state(task.model, State.QUANTISE)
    with watching(
        task.graph, lambda _, x, y: (inputs.append(x[0]), outputs.append(real_values(module, y))), {"project"}
    ):
        task.run(labelled_batches()[0])
    assert module.codes is not None
    scale = module.sources[0].value()
    by_hand = F.conv2d(
        inputs[0].double() * scale,
        torch.from_numpy(module.codes.weight * module.codes.scale.reshape(-1, 1, 1, 1)),
        torch.from_numpy(module.codes.bias * module.codes.scale * scale),
    )
    torch.testing.assert_close(outputs[0].double(), by_hand, rtol=1e-6, atol=1e-6)
    found = layer(comparison, "project")
    assert (found.bits, found.alone) == (None, None)
    assert 20 < found.accumulated.sqnr_db < 80


def test_every_operation_is_there_once(task: Task, comparison: Comparison) -> None:
    names = [item.name for item in comparison.layers]
    weights = {"stem.weight", "project.weight", "near.weight", "far.weight"}
    assert sorted(names) == sorted(weights | set(task.graph.modules))
    assert {item.name for item in comparison.ranges} == {"img", "stem", "add", "sample", "sample.points"}
    points = next(item for item in comparison.ranges if item.name == "sample.points")
    assert (points.op, points.bits) == ("points", 16)
    assert points.code_high == round(max(float(batch["points"].max()) for batch in labelled_batches()) * 256)


def test_codes_of_a_rounded_result() -> None:
    """Results leave as real numbers; their codes are counted all the same."""
    batches = labelled_batches()
    task = labelled_task(batches, QuantizationRule(match="far", bits=8))
    found = next(item for item in compare(task, batches).ranges if item.name == "far")
    set_state(task.model, State.QUANTISE)
    results = torch.cat([task.run(batch)[1]["far"] for batch in batches])
    assert found.code_high == max(0, round(float(results.max()) / found.scale))
    assert found.code_low == min(0, round(float(results.min()) / found.scale))


@pytest.mark.parametrize(("name", "rounds"), [("stem", True), ("sample", True), ("near", False)])
def test_what_stays_in_float(name: str, rounds: bool) -> None:
    """Its weights and points are not rounded; its result is, unless it leaves the network."""
    batches = labelled_batches()
    task = labelled_task(batches, QuantizationRule(match=name, keep_float=True))
    found = compare(task, batches)
    ranges = {item.name for item in found.ranges}
    assert (name in ranges) == rounds
    assert ("sample.points" in ranges) == (name != "sample")
    assert f"{name}.weight" not in {item.name for item in found.layers}
    in_float = {item.name for item in sensitivities(task, batches)}
    assert f"{name}.weight" not in in_float and (name in in_float) == rounds


def test_the_state_is_as_before(task: Task) -> None:
    for state in (State.FLOAT, State.QUANTISE):
        set_state(task.model, state)
        compare(task, labelled_batches(1))
        assert state_of(task.model) is state


def test_never_calibrated() -> None:
    model = LabelledNetwork().eval()
    convert(
        model,
        QuantizationConfig(),
        lambda shadow: shadow.raw_outputs(  # type: ignore[operator]
            torch.empty(1, 3, 8, 8, device="meta"), torch.empty(1, 5, 6, 2, device="meta")
        ),
    )
    with pytest.raises(RunError, match="the model was never calibrated"):
        compare(Task(model, model.losses), labelled_batches(1))


def test_samples_of_a_large_tensor_are_the_same_places() -> None:
    large = torch.arange(2**18 + 5)
    assert torch.equal(sample(large), sample(large))
    assert len(sample(large)) == 2**18
    assert torch.equal(sample(large.view(-1, 1) * 2).flatten(), sample(large) * 2)
    assert torch.equal(sample(torch.arange(6).view(2, 3)), torch.arange(6))
