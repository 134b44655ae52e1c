"""Learned rounding against the nearest one, and against the best of all on a problem small enough."""

from __future__ import annotations

import itertools

import pytest
import torch

from runtime.quantization.config import AdaRound
from runtime.quantization.refinement.learned_rounding import RoundingProblem, learn_rounding, nearest


def problem_of(
    groups: int, outputs: int, inputs: int, *, low: float = -torch.inf, samples: int = 1024
) -> RoundingProblem:
    """Inputs that go together, so that errors of rounding can make up for each other."""
    mixed = torch.randn(groups, samples, inputs) @ (torch.randn(groups, inputs, inputs) / inputs**0.5)
    weight = torch.randn(groups, outputs, inputs)
    scale = weight.abs().amax(2) / 127
    bias = torch.randn(groups, outputs)
    patches = mixed.relu()
    targets = torch.baddbmm(bias[:, None], patches, weight.transpose(1, 2)).clamp(min=low)
    return RoundingProblem(weight / scale[..., None], scale, bias, patches, targets, (low, torch.inf))


@pytest.mark.parametrize(
    ("groups", "outputs", "inputs", "share"), [(1, 16, 48, 0.7), (16, 1, 9, 0.85)], ids=["dense", "depthwise"]
)
@pytest.mark.parametrize("low", [-torch.inf, 0.0], ids=["linear", "relu"])
def test_lowers_the_error_on_other_samples(
    groups: int, outputs: int, inputs: int, share: float, low: float
) -> None:
    problem = problem_of(groups, outputs, inputs, low=low)
    codes = learn_rounding(problem.part(slice(0, 768)), AdaRound())
    held = problem.part(slice(768, None))
    assert held.errors(codes).sum() < share * held.errors(nearest(problem.weight)).sum()


def test_each_weight_goes_down_or_up() -> None:
    problem = problem_of(1, 16, 48)
    codes = learn_rounding(problem, AdaRound())
    up = codes - problem.weight.floor()
    assert set(up.unique().tolist()) == {0.0, 1.0}
    assert not torch.equal(codes, nearest(problem.weight))


def test_near_the_best_of_all() -> None:
    problem = problem_of(1, 1, 6, samples=256)
    floor = problem.weight.floor()
    candidates = [floor + torch.tensor(up) for up in itertools.product((0.0, 1.0), repeat=6)]
    errors = torch.stack([problem.errors(codes).sum() for codes in candidates]).sort().values
    # Of the 64 roundings one of the best four.
    assert problem.errors(learn_rounding(problem, AdaRound())).sum() <= errors[3] * 1.0001


def test_no_steps_round_to_nearest() -> None:
    problem = problem_of(2, 5, 7)
    codes = learn_rounding(problem, AdaRound(num_steps=0))
    assert torch.equal(codes, nearest(problem.weight))


def test_codes_stay_in_bounds() -> None:
    problem = problem_of(1, 8, 16)
    wide = RoundingProblem(
        problem.weight * 1.5,
        problem.scale / 1.5,
        problem.bias,
        problem.patches,
        problem.targets,
        problem.bounds,
    )
    for codes in (learn_rounding(wide, AdaRound(num_steps=50)), nearest(wide.weight)):
        assert codes.abs().max() == 127


def test_global_random_state_is_left_alone() -> None:
    problem = problem_of(1, 4, 8)
    state = torch.get_rng_state()
    first = learn_rounding(problem, AdaRound(num_steps=50))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(learn_rounding(problem, AdaRound(num_steps=50)), first)
