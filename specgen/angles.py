"""The two units of angles that a spec has, and what an angle is in the other one."""

from __future__ import annotations

import math

from specgen.value_text import value_text

DEGREES, RADIANS = "degrees", "radians"


def in_other_unit(angles: float | list[float], unit: str) -> str:
    """The hint that says what the angles are in `unit`, should they be meant in the other one."""
    other, convert = (RADIANS, math.degrees) if unit == DEGREES else (DEGREES, math.radians)
    values = angles if isinstance(angles, list) else [angles]
    converted = [float(f"{convert(angle):.4g}") for angle in values]
    if isinstance(angles, list):
        return f"{value_text(angles)} {other} are {value_text(converted)} {unit}"
    return f"{value_text(angles)} {other} are {value_text(converted[0])} {unit}"
