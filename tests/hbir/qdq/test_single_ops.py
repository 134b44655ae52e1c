"""Every operation as QDQ on its own test vectors: how far floating point is from the integers."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from qdq_session import in_units, real_inputs, run

from runtime.hbir.ops import OPERATIONS
from runtime.hbir.qdq.translate import TRANSLATIONS, to_qdq
from runtime.hbir.reference_executor import ReferenceExecutor

MOVES = ("max_pool", "resize_nearest", "slice", "reshape", "transpose", "flip")
EXACT = (*MOVES, "lookup")
"""Codes are read from a table, or are the same before and after: not one may differ."""

# float32 has 24 bits, and sums lose some: a result this near to a tie may go either way. Halves are rounded
# to even, not up. Each is rare, and one code is all that it can make.
RARE = 0.004
# Weights of Resize are not rounded to 8 bits: less than a code, so again one code, but more often.
OFTEN = 0.04
# Accumulators leave unrounded; relative to the largest sum of products of the case.
FLOAT_NOISE = 2.0**-18


def test_every_operation_has_a_translation() -> None:
    assert set(TRANSLATIONS) == set(OPERATIONS)


@pytest.mark.parametrize("name", OPERATIONS)
def test_at_most_one_code_apart(name: str) -> None:
    differing = total = 0
    for seed in range(3):
        for case in OPERATIONS[name].cases(np.random.default_rng(seed)):
            made = case.graph.tensors[0]
            exact = ReferenceExecutor(case.graph)(case.inputs)[made.name]
            inputs = real_inputs(case.graph, case.inputs)
            real = run(to_qdq(case.graph, any_batch=True), inputs)[made.name]
            assert real.dtype == np.float32 and real.shape == exact.shape
            units = in_units(case.graph, made.name, real)
            if made.dtype == "int32":
                assert np.abs(units - exact).max() <= FLOAT_NOISE * np.abs(exact).max() + 1e-3
                continue
            apart = np.abs(np.rint(units) - exact)
            assert apart.max() <= 1, (case.graph.nodes[0].attributes, made)
            differing += int((apart > 0).sum())
            total += apart.size
    allowed = 0.0 if name in EXACT else OFTEN if name == "resize_bilinear" else RARE
    assert differing <= allowed * total, f"{differing} of {total}"


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("any_batch", [False, True], ids=["one", "dynamic"])
def test_the_checker_accepts_every_form(name: str, any_batch: bool) -> None:
    for case in OPERATIONS[name].cases(np.random.default_rng(7)):
        model = to_qdq(case.graph, any_batch=any_batch)
        onnx.checker.check_model(model, full_check=True)
        assert {opset.domain for opset in model.opset_import} == {""}
        assert not model.functions


@pytest.mark.parametrize("name", OPERATIONS)
def test_one_sample_gives_what_many_give(name: str) -> None:
    """The file of one sample and the file of any number are the same network."""
    for case in OPERATIONS[name].cases(np.random.default_rng(8)):
        made = case.graph.tensors[0]
        inputs = real_inputs(case.graph, case.inputs)
        both = run(to_qdq(case.graph, any_batch=True), inputs)[made.name]
        first = {t.name: inputs[t.name][: t.shape[0]] for t in case.graph.inputs}
        alone = run(to_qdq(case.graph), first)[made.name]
        assert alone.shape == made.shape
        np.testing.assert_allclose(alone, both[: made.shape[0]], rtol=1e-5, atol=1e-5 * np.abs(both).max())
