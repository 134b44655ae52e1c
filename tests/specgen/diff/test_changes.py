"""Differences of two trees."""

from __future__ import annotations

import pytest

from specgen.diff.changes import changes
from specgen.document import DEFAULT, Node, dotted
from specgen.value_text import value_text
from specgen.yaml_text import parse_yaml


def tree(text: str) -> Node:
    return parse_yaml(text, "x.yaml")


def found(old: str, new: str) -> list[str]:
    """`old path > new path: old -> new` of each change."""
    rows = []
    for change in changes(tree(old), tree(new)):
        texts = ["-" if node is None else value_text(node.plain()) for node in (change.old, change.new)]
        rows.append(f"{dotted(change.old_path)} > {dotted(change.new_path)}: {texts[0]} -> {texts[1]}")
    return rows


@pytest.mark.parametrize(
    ("old", "new", "rows"),
    [
        ("{a: 1, b: {c: 2}}", "{a: 1, b: {c: 2}}", []),
        ("{b: {c: 2}}", "{b: {c: 3}}", ["b.c > b.c: 2 -> 3"]),
        ("{a: 1}", "{b: 1}", ["b > b: - -> 1", "a > a: 1 -> -"]),
        ("{a: [1, 2]}", "{a: [1, 3]}", ["a > a: [1, 2] -> [1, 3]"]),
        ("{a: 1}", "{a: 1.0}", ["a > a: 1 -> 1.0"]),
        ("{a: 1}", "{a: true}", ["a > a: 1 -> true"]),
        ("{a: [1, {b: 0}]}", "{a: [1, {b: false}]}", ["a > a: [1, {b: 0}] -> [1, {b: false}]"]),
        ("{a: {type: x, k: 1}}", "{a: {type: x, k: 2}}", ["a.k > a.k: 1 -> 2"]),
        ("{a: {type: x, k: 1}}", "{a: {type: z1}}", ["a > a: {type: x, k: 1} -> {type: z1}"]),
        ("{a: null}", "{a: {type: z1}}", ["a > a: null -> {type: z1}"]),
        (
            "{a: [{type: x}, {type: z1, k: 1}]}",
            "{a: [{type: z1, k: 2}, {type: w}]}",
            ["a.0 > a.0: {type: x} -> -", "a.1.k > a.0.k: 1 -> 2", "a.1 > a.1: - -> {type: w}"],
        ),
        ("{a: [{type: x}, '${v}']}", "{a: ['${v}']}", ["a.0 > a.0: {type: x} -> -"]),
        ("{a: []}", "{a: [{type: x}]}", ["a > a: [] -> [{type: x}]"]),
    ],
)
def test_changes(old: str, new: str, rows: list[str]) -> None:
    assert found(old, new) == rows


def test_a_map_that_nobody_wrote_is_one_value() -> None:
    old, new = (tree(f"{{a: {{2: {channels}, 4: 24}}}}") for channels in (8, 16))
    old, new = (node.with_value(("a",), node.plain_at("a"), DEFAULT) for node in (old, new))
    (change,) = changes(old, new)
    assert change.path == ("a",)
