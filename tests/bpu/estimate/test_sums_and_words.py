"""Sums, refusals, widths and the words about errors."""

from __future__ import annotations

import json
import re

import jsonschema
import pytest

from runtime.bpu.estimate.document import estimates_document
from runtime.bpu.estimate.estimate import estimate, with_bits
from runtime.bpu.estimate.network import Network, grouped_left_out
from runtime.bpu.estimate.subject import Subject
from runtime.bpu.estimate.text import estimates_text
from runtime.bpu.march import load_march, march_names
from runtime.bpu.operation import Operation

MAP = (1, 32, 40, 60)
CONV = Operation(op="conv", in_shapes=(MAP,), out_shape=MAP, kernel=(3, 3), name="stage.conv")
POOL = Operation(
    op="max_pool",
    in_shapes=(MAP,),
    out_shape=(1, 32, 20, 30),
    kernel=(2, 2),
    stride=(2, 2),
    name="stage.pool",
)
SAMPLE = Operation(op="grid_sample", in_shapes=(MAP, (1, 8, 8, 2)), out_shape=(1, 32, 8, 8), name="warp")
SUBJECT = Subject("net.onnx", "float ONNX", "`x` 1x32x40x60")


def test_time_and_throughput() -> None:
    march = load_march("nash-p")
    found = estimate([CONV, POOL], march)
    cycles = sum(timed.cost.cycles for timed in found.timed)
    fixed = march.overhead.network_us.value / 1e3
    assert found.milliseconds == pytest.approx(cycles / march.clock_ghz.value / 1e6 + fixed)
    assert found.runs_per_second == pytest.approx(march.cores.value * 1e3 / found.milliseconds)
    assert found.macs == 40 * 60 * 32 * 32 * 9
    assert 0 < found.utilisation < 1


def test_what_the_march_does_not_run_is_in_no_sum() -> None:
    march = load_march("bernoulli2")
    without, found = estimate([CONV], march), estimate([CONV, SAMPLE], march)
    assert found.milliseconds == without.milliseconds
    (refused,) = found.refused
    assert refused.operation is SAMPLE
    assert refused.rules[0].startswith("`grid_sample` runs on the CPU of bernoulli2, not on its BPU")


def test_a_broken_limit_is_a_refusal() -> None:
    wide = Operation(
        op="conv", in_shapes=((1, 8, 64, 64),), out_shape=(1, 8, 34, 34), kernel=(33, 33), padding=(1, 1)
    )
    (refused,) = estimate([wide], load_march("bayes-e")).refused
    assert re.match(
        r"`conv` on bayes-e: height or width of the kernel is 33, must be at most 31", refused.rules[0]
    )


def test_sixteen_bits_where_the_march_takes_them() -> None:
    found = estimate(with_bits([CONV, POOL], 16), load_march("bayes-e"))
    assert [(timed.operation.in_bits, timed.asked_bits) for timed in found.timed] == [(16, None), (8, 16)]
    assert found.milliseconds > estimate([CONV, POOL], load_march("bayes-e")).milliseconds


def test_accumulators_stay() -> None:
    result = Operation(op="conv", in_shapes=(MAP,), out_shape=MAP, out_bits=32)
    assert [(one.in_bits, one.out_bits) for one in with_bits([result], 16)] == [(16, 32)]


@pytest.mark.parametrize("name", march_names())
def test_error_is_that_of_the_march_file(name: str) -> None:
    march = load_march(name)
    text = estimate([CONV], march).accuracy
    if march.accuracy.leave_one_out is not None:
        percent = f"{100 * march.accuracy.leave_one_out:.1f}"
        assert (
            text
            == f"± {percent} % (leave-one-out over {march.accuracy.rows} measured networks, one image a run)"
        )
    elif march.accuracy.rows == 0:
        assert text == "no measurement of this march: order of magnitude"
    else:
        assert text.startswith(f"{march.accuracy.rows} network")
        assert text.endswith("measured, too few for an error: order of magnitude")


def test_networks_unlike_the_measured_ones() -> None:
    march = load_march("bayes-e")
    assert estimate([CONV], march).caveats == ()
    maps = (6, 32, 256, 480)
    wide = Operation(op="conv", in_shapes=(maps,), out_shape=maps, groups=32, kernel=(3, 3))
    batch, waiting = estimate([wide], march).caveats
    assert batch.startswith("up to 6 maps at a time, where every measured network has one")
    assert waiting.startswith("100% of the cycles are of operations bound by DDR")


def test_text_says_everything_once() -> None:
    left_out = grouped_left_out([("Erf", "a", "nothing is known of its cost")] * 12)
    network = Network((CONV, POOL, SAMPLE), left_out)
    marches = [load_march(name) for name in ("bayes-e", "bernoulli2")]
    text = estimates_text(SUBJECT, network, [estimate(network.operations, march) for march in marches], top=1)
    lines = text.splitlines()
    assert lines[:4] == [
        "net.onnx",
        "from float ONNX",
        "one run: `x` 1x32x40x60",
        "3 operations, 0.022 G multiply-accumulates with weights",
    ]
    bayes, bernoulli = (
        next(line for line in lines if line.startswith(f"{march.name} ")) for march in marches
    )
    percent = f"{100 * marches[0].accuracy.leave_one_out:.1f}"
    assert bayes.endswith(f"± {percent} % (leave-one-out over 10 measured networks, one image a run)")
    assert bernoulli.endswith("order of magnitude; without 1 operation")
    assert sum("stage.conv" in line or "warp" in line for line in lines) == 2
    assert any(
        line.startswith("  not on the BPU: 1 `grid_sample`, so the true time is longer: ") for line in lines
    )
    assert lines[-1] == (
        "  12 `Erf` are not in the model (nothing is known of its cost): the estimate leaves them out; "
        "the true time is longer"
    )


def test_one_line_for_one_broken_limit_whatever_the_sizes() -> None:
    def square(side: int) -> Operation:
        shape = (1, side, 8, 8)
        return Operation(
            op="conv", in_shapes=(shape,), out_shape=shape, kernel=(side, side), padding=(16, 16)
        )

    network = Network((square(33), square(33), square(35)))
    march = load_march("bayes-e")
    text = estimates_text(SUBJECT, network, [estimate(network.operations, march)], top=1)
    (line,) = (line for line in text.splitlines() if "not on the BPU" in line)
    assert "not on the BPU: 3 `conv`" in line
    assert "height or width of the kernel is 33 to 35, must be at most 31 (" in line


def test_document() -> None:
    network = Network((CONV, SAMPLE))
    found = estimate(network.operations, load_march("bernoulli2"))
    document = json.loads(json.dumps(estimates_document(SUBJECT, network, [found])))
    (march,) = document["marches"]
    assert march["milliseconds"] == found.milliseconds
    assert [one["name"] for one in march["operations"]] == ["stage.conv"]
    assert [one["name"] for one in march["not_on_bpu"]] == ["warp"]
    cycles = {"type": "number", "exclusiveMinimum": 0}
    schema = {
        "type": "object",
        "properties": {"cycles": cycles, "bound": {"enum": ["compute", "ddr", "overhead"]}},
    }
    jsonschema.validate(march["operations"][0], schema)
    assert sum(one["cycles"] for one in march["operations"]) == pytest.approx(march["cycles"])
