"""Rules by name and by kind: the last one counts, each tells what it matched, none is without effect."""

from __future__ import annotations

import pytest
import torch
from small_networks import EveryOperation, calibrated, converted, random_inputs

from runtime.errors import RunError
from runtime.quantization.calibration import set_state
from runtime.quantization.config import QuantizationRule
from runtime.quantization.rules import describe_matches
from runtime.quantization.state import State


def test_the_last_rule_that_says_something_counts() -> None:
    rules = [
        QuantizationRule(op="conv", bits=16),
        QuantizationRule(match="squeeze.*", bits=8),
        QuantizationRule(match="squeeze.reduce", observer="min_max"),
    ]
    _, graph = converted(EveryOperation(), rules)
    quants = graph.quantisers()
    assert (quants["stem"].bits, quants["squeeze.reduce"].bits) == (16, 8)
    assert (quants["stem"].observer_name, quants["squeeze.reduce"].observer_name) == ("mse", "min_max")


def test_each_rule_reports_what_it_matched() -> None:
    _, graph = converted(EveryOperation(), [QuantizationRule(op="add", bits=16)])
    assert describe_matches(graph.matches) == [
        "rule {match: img, bits: 8, scale: 0.0078125}: 1 tensor: `img`",
        "rule {op: add, bits: 16}: 2 tensors: `residual`, `sum`",
    ]


def test_results_are_no_inner_tensors() -> None:
    _, graph = converted(EveryOperation(), [QuantizationRule(op="conv", bits=16)])
    _, names = graph.matches[-1]
    assert "stem" in names
    assert "map" not in names


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (
            QuantizationRule(match="backbone.*", bits=16),
            "rule {match: backbone.*, bits: 16} matches no tensor",
        ),
        (QuantizationRule(op="add", bits=32), "asks for int32 at `residual`, a tensor of kind `add`"),
        (QuantizationRule(match="img", keep_float=True), "keeps `img` in float"),
        (QuantizationRule(op="points", observer="kl"), "observes `sample.points`"),
    ],
)
def test_a_rule_without_sense(rule: QuantizationRule, message: str) -> None:
    with pytest.raises(RunError) as error:
        converted(EveryOperation(), [rule])
    assert message in str(error.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"bits": 8},
        {"match": "a"},
        {"match": "a", "keep_float": True, "bits": 8},
        {"match": "a", "scale": 0.1, "observer": "mse"},
        {"match": "a", "scale": 0.0},
    ],
)
def test_a_rule_that_contradicts_itself(settings: dict) -> None:
    with pytest.raises(ValueError):
        QuantizationRule(**settings)


def test_points_of_eight_bits_would_not_reach_across_the_map() -> None:
    with pytest.raises(RunError, match=r"codes of 8 bits and step 0.00390625 reach pixel 0.496094 of a map"):
        calibrated(EveryOperation(), [QuantizationRule(op="points", bits=8)])


def test_coarser_points_by_rule() -> None:
    _, graph = calibrated(EveryOperation(), [QuantizationRule(op="points", bits=8, scale=0.25)])
    points = graph.quantisers()["sample.points"]
    assert (points.bits, points.value()) == (8, 0.25)


def test_a_fixed_scale_is_not_observed() -> None:
    _, graph = calibrated(EveryOperation(), [QuantizationRule(match="stem", scale=0.125)])
    assert graph.quantisers()["stem"].value() == 0.125


def test_a_tensor_kept_in_float_loses_nothing_but_its_rounding() -> None:
    """The island computes in float from codes to codes: with exact neighbours it is float."""
    network, graph = calibrated(EveryOperation(), [QuantizationRule(match="stem", keep_float=True)])
    stem = graph.modules["stem"]
    captured = {}
    stem.register_forward_hook(lambda module, args, output: captured.update(x=args[0], y=output))
    with torch.no_grad():
        network(*random_inputs())
        assert stem.quant is not None
        expected = torch.relu(stem.real(captured["x"] / 128))
    scale = stem.quant.value()
    assert ((captured["y"] * scale - expected).abs() <= scale * 0.501)[expected < 127 * scale].all()
    set_state(network, State.FLOAT)


@pytest.mark.parametrize("name", ["project", "map"])
def test_a_rule_for_what_stays_an_accumulator(name: str) -> None:
    rule = QuantizationRule(match=name, observer="kl")
    with pytest.raises(RunError, match=f"the rule .* has no effect: `{name}` stays as it was summed"):
        converted(EveryOperation(), [rule])
