"""The few constants of a march that are fitted, and what else in the march follows from them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runtime.bpu.march_data import March, TensorEngine

# What follows a constant in the march file, as (key, factor). The measurements do not separate dense from
# pointwise, nor the vector engine from its neighbours; int16 takes two passes; taps at scattered addresses
# are taken to be four times as slow.
FOLLOWERS: Mapping[str, Sequence[tuple[str, float]]] = {
    "dense": (
        *(("macs_per_cycle.int8xint8.dense", 1.0), ("macs_per_cycle.int8xint8.pointwise", 1.0)),
        *(("macs_per_cycle.int16xint8.dense", 0.5), ("macs_per_cycle.int16xint8.pointwise", 0.5)),
    ),
    "depthwise": (("macs_per_cycle.int8xint8.depthwise", 1.0), ("macs_per_cycle.int16xint8.depthwise", 0.5)),
    "vector": (
        *(("lanes.vector", 1.0), ("lanes.pool", 1.0), ("lanes.resize", 1.0), ("lanes.arrange", 1.0)),
        ("lanes.warp", 0.25),
    ),
    "ddr": (("memory.ddr_gb_per_s", 1.0),),
    "operation": (("overhead.operation_cycles", 1.0),),
    "network": (("overhead.network_us", 1.0),),
}
CONSTANTS = tuple(FOLLOWERS)


@dataclass(frozen=True)
class Constant:
    """A free constant before the fit.

    Args:
        prior: its value without measurements.
        spread: standard deviation of its logarithm.
        reason: for the prior.
    """

    prior: float
    spread: float
    reason: str


def with_constants(march: March, values: Mapping[str, float]) -> March:
    """The march with other values of the free constants."""
    numbers = {key: value * factor for name, value in values.items() for key, factor in FOLLOWERS[name]}

    def replaced(part: Any, prefix: str) -> Any:
        fields = {
            name: dataclasses.replace(getattr(part, name), value=numbers[f"{prefix}.{name}"])
            for name in (field.name for field in dataclasses.fields(part))
            if f"{prefix}.{name}" in numbers
        }
        return dataclasses.replace(part, **fields)

    tensor = {
        bits: {
            kind: dataclasses.replace(
                rate, value=numbers.get(f"macs_per_cycle.int{bits}xint8.{kind}", rate.value)
            )
            for kind, rate in rates.items()
        }
        for bits, rates in march.tensor.macs_per_cycle.items()
    }
    return dataclasses.replace(
        march,
        tensor=TensorEngine(tensor),
        lanes=replaced(march.lanes, "lanes"),
        memory=replaced(march.memory, "memory"),
        overhead=replaced(march.overhead, "overhead"),
    )


def with_on_chip_bytes(march: March, count: int) -> March:
    memory = dataclasses.replace(
        march.memory, on_chip_bytes=dataclasses.replace(march.memory.on_chip_bytes, value=count)
    )
    return dataclasses.replace(march, memory=memory)
