"""Marches that run every operation in every width, with as little memory as a test wants."""

from __future__ import annotations

from dataclasses import replace

from runtime.bpu.march import load_march
from runtime.bpu.march_data import March, Numbers, OperationRule, Quantity, TensorEngine, Word

_UNITS = {
    **dict.fromkeys(("conv", "linear"), "TAE"),
    **dict.fromkeys(("add", "multiply", "concat", "lookup", "view_sum"), "VAE"),
    **dict.fromkeys(("max_pool", "avg_pool", "resize", "grid_sample"), "AAE"),
    **dict.fromkeys(("slice", "reshape", "transpose", "flip"), "DTE"),
}


def small_chip(name: str, chip_bytes: int) -> March:
    """A march with its own alignments, rates and DDR, without limits and with wide arithmetic."""
    march = load_march(name)
    rates = march.tensor.macs_per_cycle
    rules = {
        op: OperationRule(
            Word(unit, "assumed", "test"),
            Numbers((8, 16), "assumed", "test"),
            Numbers((8, 16, 32), "assumed", "test"),
            (),
        )
        for op, unit in _UNITS.items()
    }
    return replace(
        march,
        operations=rules,
        general_limits=(),
        arithmetic=replace(
            march.arithmetic,
            multiplier_bits=Quantity(15, "assumed", "test"),
            accumulator_bits=Quantity(64, "assumed", "test"),
        ),
        tensor=TensorEngine({8: rates[8], 16: rates.get(16, rates[8])}),
        memory=replace(march.memory, on_chip_bytes=Quantity(chip_bytes, "assumed", "test")),
    )
