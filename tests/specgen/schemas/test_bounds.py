"""Every number of a spec lies between two bounds, so that a slip in its size is seen before anything runs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SCHEMAS = Path(__file__).resolve().parents[3] / "schemas"
# Rules hold indexes to the maps that are there, from both ends.
INDEXES = {"input_index", "bev_feat_index", "end_level", "indexes"}
LOWER, UPPER = {"minimum", "exclusiveMinimum"}, {"maximum", "exclusiveMaximum"}


def numbers(part: Any, names: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    if isinstance(part, list):
        for item in part:
            yield from numbers(item, names)
    if not isinstance(part, dict):
        return
    types = part.get("type", [])
    if {"integer", "number"} & {
        t for t in (types if isinstance(types, list) else [types]) if isinstance(t, str)
    }:
        yield names, part
    for key, value in part.items():
        if key not in ("default", "const", "enum", "examples"):
            yield from numbers(value, (*names, key))


def test_every_number_has_two_bounds() -> None:
    seen = 0
    for path in sorted(SCHEMAS.rglob("*.schema.json")):
        for names, schema in numbers(json.loads(path.read_text(encoding="utf-8"))):
            seen += 1
            if not INDEXES & set(names):
                assert LOWER & set(schema) and UPPER & set(schema), f"{path.name}: {'.'.join(names)}"
    assert seen > 80
