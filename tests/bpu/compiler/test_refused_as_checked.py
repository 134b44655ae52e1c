"""The compiler takes exactly the graphs that the checker places on the BPU."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from random_graphs import random_graph
from small_chips import small_chip

from runtime.bpu.checker.check import check_graph
from runtime.bpu.compiler import CompilerOptions, compile_graph
from runtime.bpu.march import load_march, march_names
from runtime.bpu.march_data import March, Quantity, TensorEngine
from runtime.errors import RunError
from runtime.hbir.graph import Graph, Node
from runtime.hbir.ops import OPERATIONS
from runtime.hbir.tensor_type import Constant, DType, TensorType

_HINT = "the stage `check` says which operations do not run there, and why"
_SOURCES = "(assumed: test)"


def assert_agreement(graph: Graph, march: March) -> bool:
    """Whether the graph compiles; fails where the checker says something else."""
    report = check_graph(graph, march)
    try:
        compile_graph(graph, march, CompilerOptions(0))
    except RunError as error:
        if report.fits:
            assert "on the chip for its smallest part" in error.message
            return False
        first = next(node.name for node in report.nodes if node.place in ("CPU", "unsupported"))
        remark = next(one for one in report.remarks if one.node == first)
        assert (error.message, error.place) == (remark.finding.message, f"node `{first}`")
        assert error.hint == _HINT
        return False
    assert report.fits, report.verdict
    return True


@pytest.mark.parametrize("march", march_names())
def test_random_graphs(march: str) -> None:
    chip, compiled = load_march(march), []
    for seed in range(18):
        rng = np.random.default_rng(seed)
        compiled.append(assert_agreement(random_graph(rng, 1 + seed % 6), chip))
    assert not all(compiled)
    if march != "bernoulli2":  # whose shifts random multipliers are not
        assert any(compiled)


@pytest.mark.parametrize("march", ["bernoulli2", "bayes"])
@pytest.mark.parametrize("op", OPERATIONS)
def test_every_operation(op: str, march: str) -> None:
    for case in OPERATIONS[op].cases(np.random.default_rng(0)):
        assert_agreement(case.graph, load_march(march))


def conv(dtype: DType = "int8", multiplier: int = 2**14) -> Graph:
    """One output channel of 64 inputs, whose sums reach 64 * 127 times the largest code."""
    window = {"groups": 1, "stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "lo": -128, "hi": 127}
    constants = {
        "weight": Constant.of(np.full((1, 64, 1, 1), 127), "int8"),
        "bias": Constant.of(np.zeros(1), "int32"),
        "multiplier": Constant.of(np.array([multiplier]), "int16"),
        "shift": Constant.of(np.array([20]), "int8"),
    }
    x, y = TensorType("x", dtype, (1, 64, 4, 4), (1.0,)), TensorType("y", "int8", (1, 1, 4, 4), (1.0,))
    return Graph((x,), (Node("conv", "conv", ("x",), "y", window, constants),), (y,), ("y",))


def with_arithmetic(**bits: int) -> March:
    march = small_chip("bayes", 2**17)
    changed = {name: Quantity(value, "assumed", "test") for name, value in bits.items()}
    return dataclasses.replace(march, arithmetic=dataclasses.replace(march.arithmetic, **changed))


def test_multipliers_that_the_march_does_not_apply() -> None:
    graph = conv(multiplier=2**15 - 1)
    assert assert_agreement(graph, with_arithmetic(multiplier_bits=15))
    with pytest.raises(RunError) as caught:
        compile_graph(graph, with_arithmetic(multiplier_bits=1))
    assert caught.value.message == f"multipliers need 15 significant bits, bayes applies 1 {_SOURCES}"
    assert caught.value.place == "node `conv`"
    assert caught.value.hint == _HINT


def test_shipped_shifts() -> None:
    march = load_march("bernoulli2")
    assert assert_agreement(conv(), march)
    assert not assert_agreement(conv(multiplier=2**15 - 1), march)


def test_sums_that_the_accumulator_does_not_hold() -> None:
    assert assert_agreement(conv(), with_arithmetic(accumulator_bits=21))
    with pytest.raises(RunError) as caught:
        compile_graph(conv(), with_arithmetic(accumulator_bits=20))
    assert caught.value.message == (
        f"sums reach 1040384, which takes 21 bits; the accumulator of bayes has 20 {_SOURCES}"
    )


def test_a_width_that_the_tensor_engine_has_no_rate_for() -> None:
    march = small_chip("bayes", 2**17)
    assert assert_agreement(conv("int16"), march)
    narrow = dataclasses.replace(march, tensor=TensorEngine({8: march.tensor.macs_per_cycle[8]}))
    with pytest.raises(RunError) as caught:
        compile_graph(conv("int16"), narrow)
    assert caught.value.message == "the tensor engine of bayes has a rate for int8, not for int16"
