"""Angles in the wrong unit."""

from __future__ import annotations

import pytest

from specgen.angles import DEGREES, RADIANS, in_other_unit
from specgen.locate import schemas_folder
from specgen.rules.units import ANGLES, _looks_like_the_other
from specgen.schemas import read_schemas


def test_the_units_are_those_of_the_schemas() -> None:
    schemas = read_schemas(schemas_folder())
    found = {
        (name.rpartition("/")[2].removesuffix(".schema.json"), key): part["x-unit"]
        for name, schema in schemas.documents.items()
        for key, part in schema.get("properties", {}).items()
        if part.get("x-unit") in (DEGREES, RADIANS)
    }
    assert found == dict(ANGLES)


@pytest.mark.parametrize(
    ("angles", "unit", "looks"),
    [
        ([-0.3925, 0.3925], DEGREES, True),
        ([-0.5, 0.5], DEGREES, False),
        ([-5.4, 5.4], DEGREES, False),
        ([0.0, 0.0], DEGREES, False),
        ([-2, 2], RADIANS, True),
        ([-1.0, 3.0], RADIANS, True),
        ([0, 0], RADIANS, False),
        ([-0.3925, 0.3925], RADIANS, False),
        ([-3.141592653589793, 3.141592653589793], RADIANS, False),
        ([-1.5, 1.5], RADIANS, False),
    ],
)
def test_what_looks_like_the_other_unit(angles: list[float], unit: str, looks: bool) -> None:
    assert _looks_like_the_other(angles, unit) == looks


def test_the_hint_says_the_angle_in_the_propertys_unit() -> None:
    assert in_other_unit([-22.5, 22.5], RADIANS) == "[-22.5, 22.5] degrees are [-0.3927, 0.3927] radians"
    assert in_other_unit(0.0942, DEGREES) == "0.0942 radians are 5.397 degrees"
