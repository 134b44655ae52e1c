import math
from itertools import pairwise

import pytest

from runtime.training.schedules import cosine_between, cyclic, warmup_cosine, warmup_step

REFERENCE = {"total_steps": 1000, "target_ratio": (10, 1e-4), "cyclic_times": 1, "step_ratio_up": 0.4}


@pytest.mark.parametrize(
    ("step", "factor"),
    [
        (0, 1.0),
        (200, 5.5),  # half of the way up: the mean of 1 and 10
        (100, 1 + 9 * (1 - math.sqrt(0.5)) / 2),
        (400, 10.0),
        (700, (10 + 1e-4) / 2),
        (1000, 1e-4),
    ],
)
def test_the_reference_cycle_has_these_values(step, factor):
    assert cyclic(step, **REFERENCE) == pytest.approx(factor, rel=1e-12)


def test_the_cycle_rises_for_forty_percent_and_falls_after():
    factors = [cyclic(step, **REFERENCE) for step in range(1001)]
    assert all(a < b for a, b in pairwise(factors[:401]))
    assert all(a > b for a, b in pairwise(factors[400:]))


def test_two_cycles_repeat_the_first_one():
    twice = {**REFERENCE, "cyclic_times": 2}
    assert cyclic(200, **twice) == pytest.approx(10.0)
    assert cyclic(500, **twice) == pytest.approx(1.0)
    assert cyclic(137, **twice) == pytest.approx(cyclic(637, **twice))


def test_cosine_stays_at_its_ends():
    assert cosine_between(3.0, 7.0, -1.0) == 3.0
    assert cosine_between(3.0, 7.0, 2.0) == pytest.approx(7.0)


def test_warmup_then_steps():
    options = {"warmup_steps": 10, "warmup_ratio": 0.1, "milestones": [100, 200], "gamma": 0.5}
    factors = [warmup_step(step, **options) for step in (0, 5, 10, 99, 100, 199, 200, 999)]
    assert factors == pytest.approx([0.1, 0.55, 1, 1, 0.5, 0.5, 0.25, 0.25])


def test_warmup_then_cosine_ends_at_the_last_step():
    options = {"total_steps": 101, "warmup_steps": 20, "stop_ratio": 0.02}
    assert warmup_cosine(0, **options) == pytest.approx(0.05)
    assert warmup_cosine(19, **options) == 1.0
    assert warmup_cosine(20, **options) == 1.0
    assert warmup_cosine(60, **options) == pytest.approx(0.51)
    assert warmup_cosine(100, **options) == pytest.approx(0.02)


def test_without_warmup_the_cosine_starts_at_once():
    assert warmup_cosine(0, total_steps=11, warmup_steps=0, stop_ratio=0.0) == 1.0
    assert warmup_cosine(5, total_steps=11, warmup_steps=0, stop_ratio=0.0) == pytest.approx(0.5)
