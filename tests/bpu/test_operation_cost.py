"""The cost model: what holds whatever the fitted numbers are, and the formula on numbers chosen by hand."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.bpu.march import load_march, march_names
from runtime.bpu.march_data import March, Quantity
from runtime.bpu.network_cost import network_cost
from runtime.bpu.operation import OPERATIONS, Operation
from runtime.bpu.operation_cost import operation_cycles
from runtime.errors import RunError

MARCH = load_march("bayes-e")


def test_formula_by_hand() -> None:
    """20 channels pad to 32 of input and output, width 10 to 16: 3 * 16 * 9 * 32 * 32 MACs."""
    march = _march(dense=1024, ddr=2, latency=50, overhead=10)
    cost = operation_cycles(march, _conv(channels=(20, 20), size=(3, 10)))
    assert cost.unit == "TAE"
    assert cost.compute == 3 * 16 * 9 * 32 * 32 / 1024
    assert cost.load_bytes == 9 * 32 * 32 + 4 * 20
    assert cost.load == 50 + cost.load_bytes / 2
    assert cost.store == 0
    assert cost.cycles == max(cost.compute, cost.load) + 10
    assert cost.useful == pytest.approx((10 * 20 * 20) / (16 * 32 * 32))
    assert cost.bound == "ddr"


def test_compute_bound_with_fast_memory() -> None:
    cost = operation_cycles(_march(dense=64, ddr=1e6), _conv(channels=(64, 64), size=(64, 64)))
    assert cost.bound == "compute"
    assert cost.cycles == cost.compute + cost.overhead


def test_overhead_bound() -> None:
    cost = operation_cycles(_march(overhead=1e9), _conv())
    assert cost.bound == "overhead"


@given(
    inputs=st.integers(1, 100),
    outputs=st.integers(1, 100),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    grown=st.sampled_from(["inputs", "outputs", "height", "width", "kernel"]),
    name=st.sampled_from(march_names()),
)
def test_more_work_never_costs_less(
    inputs: int, outputs: int, height: int, width: int, grown: str, name: str
) -> None:
    sizes = {"inputs": inputs, "outputs": outputs, "height": height, "width": width, "kernel": 3}
    costs = []
    for _ in range(2):
        operation = _conv(
            channels=(sizes["inputs"], sizes["outputs"]),
            size=(sizes["height"], sizes["width"]),
            kernel=(sizes["kernel"], sizes["kernel"]),
        )
        costs.append(operation_cycles(load_march(name), operation))
        sizes[grown] += 2
    assert costs[1].cycles >= costs[0].cycles
    assert costs[1].compute >= costs[0].compute
    assert all(0 < cost.useful <= 1 for cost in costs)


def test_padding_is_paid_for() -> None:
    aligned, over = (operation_cycles(MARCH, _conv(channels=(count, 64))) for count in (64, 65))
    assert aligned.useful == 1
    assert over.useful == pytest.approx(65 / 80)
    assert over.compute == aligned.compute * 80 / 64
    # Nothing is gained by fewer channels inside the padding.
    assert operation_cycles(MARCH, _conv(channels=(80, 64))).compute == over.compute


def test_groups_waste_what_their_blocks_leave_empty() -> None:
    """Groups of four channels are packed in fours: three quarters of a block are zeros."""
    dense = operation_cycles(MARCH, _conv(channels=(128, 128)))
    grouped = operation_cycles(MARCH, _conv(channels=(128, 128), groups=32))
    assert grouped.useful == pytest.approx(1 / 4)
    assert grouped.compute == pytest.approx(dense.compute / 8)


def test_depthwise_has_a_rate_of_its_own() -> None:
    cost = operation_cycles(_march(depthwise=9), _conv(channels=(64, 64), groups=64))
    assert cost.compute == 64 * 16 * 16


def test_maps_larger_than_the_chip_pass_through_ddr() -> None:
    march = _march(on_chip=100_000)
    inside = operation_cycles(march, _conv(channels=(16, 16), size=(40, 40)))
    outside = operation_cycles(march, _conv(channels=(16, 16), size=(80, 80)))
    maps = 16 * 80 * 80
    assert inside.load_bytes == outside.load_bytes - math.ceil((1 - 100_000 / (2 * maps)) * maps)
    assert inside.store_bytes == 0
    assert outside.store_bytes == maps - 50_000


def test_inputs_and_outputs_of_the_network_lie_in_ddr() -> None:
    inner = operation_cycles(MARCH, _conv())
    outer = operation_cycles(MARCH, _conv(reads_ddr=True, writes_ddr=True))
    assert outer.load_bytes - inner.load_bytes == outer.store_bytes == 64 * 16 * 16


@pytest.mark.parametrize("op", ["conv", "add", "multiply", "lookup", "transpose"])
def test_int16_costs_more(op: str) -> None:
    shape = (1, 64, 128, 128)
    plain = Operation(op=op, in_shapes=(shape,), out_shape=shape)
    wide = dataclasses.replace(plain, in_bits=16, out_bits=16)
    assert operation_cycles(MARCH, wide).compute == pytest.approx(2 * operation_cycles(MARCH, plain).compute)
    assert operation_cycles(MARCH, wide).cycles > operation_cycles(MARCH, plain).cycles


def test_refused_width_is_an_error() -> None:
    operation = _conv(in_bits=16, name="head.conv")
    with pytest.raises(RunError) as error:
        operation_cycles(load_march("bernoulli2"), operation)
    assert str(error.value) == (
        "head.conv: error: `conv` on bernoulli2 takes input of int8, not int16 (published: "
        "D-Robotics/rdk_doc, supported_op_list.md and plugin api_reference: int8 in and out, no int16)"
    )


@pytest.mark.parametrize("name", march_names())
@pytest.mark.parametrize("op", OPERATIONS)
def test_every_supported_operation_has_a_cost(name: str, op: str) -> None:
    march = load_march(name)
    shape = (1, 32) if op == "linear" else (1, 32, 16, 16)
    operation = Operation(op=op, in_shapes=(shape,), out_shape=shape)
    if march.supports(op, 8, 8) is None:
        cost = operation_cycles(march, operation)
        assert cost.unit == march.operations[op].runs_on.value
        assert 0 < cost.compute < cost.cycles
        assert cost.useful == 1
    else:
        with pytest.raises(RunError):
            operation_cycles(march, operation)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"op": "softmax"}, "`op` is 'softmax', which is none of conv, linear"),
        ({"out_shape": (1, 0, 4, 4)}, "every size must be at least 1"),
        ({"in_shapes": ()}, "`conv` has no input"),
        ({"groups": 3}, "`conv` has 3 groups, which do not divide its 64 and 64 channels"),
    ],
)
def test_impossible_operations(settings: dict[str, Any], message: str) -> None:
    shape = (1, 64, 8, 8)
    with pytest.raises(ValueError, match=message):
        Operation(**{"op": "conv", "in_shapes": (shape,), "out_shape": shape, **settings})


def test_network_is_the_sum() -> None:
    operations = [_conv(), _conv(channels=(64, 128))]
    cost = network_cost(MARCH, operations)
    cycles = sum(operation_cycles(MARCH, operation).cycles for operation in operations)
    assert cost.microseconds == pytest.approx(cycles / 1000 + MARCH.overhead.network_us.value)


def _conv(
    *,
    channels: tuple[int, int] = (64, 64),
    size: tuple[int, int] = (16, 16),
    kernel: tuple[int, int] = (3, 3),
    **settings: Any,
) -> Operation:
    return Operation(
        op="conv",
        in_shapes=((1, channels[0], *size),),
        out_shape=(1, channels[1], *size),
        kernel=kernel,
        **settings,
    )


def _march(
    *,
    dense: float = 1000,
    depthwise: float = 100,
    ddr: float = 10,
    latency: float = 0,
    overhead: float = 0,
    on_chip: int = 2**20,
) -> March:
    """bayes-e (1 GHz, channels of 16, width of 8) with rates of its own."""
    rates = {"dense": dense, "pointwise": dense, "depthwise": depthwise}
    return dataclasses.replace(
        MARCH,
        tensor=dataclasses.replace(
            MARCH.tensor, macs_per_cycle={8: {kind: _assumed(rate) for kind, rate in rates.items()}}
        ),
        memory=dataclasses.replace(
            MARCH.memory,
            on_chip_bytes=_assumed(on_chip),
            ddr_gb_per_s=_assumed(ddr),
            ddr_latency_ns=_assumed(latency),
        ),
        overhead=dataclasses.replace(MARCH.overhead, operation_cycles=_assumed(overhead)),
    )


def _assumed(value: float) -> Quantity:
    return Quantity(value, "assumed", "for this test")
