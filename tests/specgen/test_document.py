"""The node tree: looking up, changing without changing."""

import pytest

from specgen.diagnostic import Span
from specgen.document import DEFAULT, Origin, dotted, node_of
from specgen.yaml_text import parse_yaml

ROOT = parse_yaml("a: {type: t, l: [1, {b: 2}]}\nc: null\n", "f")


def test_lookup() -> None:
    assert ROOT.plain_at("a", "l", 1, "b") == 2
    assert ROOT.plain_at("a", "l", -2) == 1
    for path in [
        ("x",),
        ("a", "l", 2),
        ("a", "l", -3),
        ("a", "l", "b"),
        ("a", 0),
        ("c", "d"),
        ("a", "type", "t"),
    ]:
        assert ROOT.get(*path) is None
    with pytest.raises(KeyError, match=r"a\.l\.9"):
        ROOT.at("a", "l", 9)
    assert ROOT.at("a").type == "t" and ROOT.at("c").type is None


def test_replacing_shares_the_rest_and_leaves_the_old_tree() -> None:
    changed = ROOT.with_value(("a", "l", -1, "b"), [3], Origin.derived("a.type"))
    assert changed.plain() == {"a": {"type": "t", "l": [1, {"b": [3]}]}, "c": None}
    assert ROOT.plain_at("a", "l", 1, "b") == 2
    assert changed.at("c") is ROOT.at("c")
    assert changed.at("a", "l", 1, "b", 0).origin == Origin("derived", "a.type")


def test_new_values_have_the_place_of_their_component() -> None:
    changed = ROOT.with_value(("a", "new"), 1, DEFAULT)
    assert list(changed.plain_at("a")) == ["type", "l", "new"]
    assert changed.at("a", "new").span == ROOT.at("a", "type").span


@pytest.mark.parametrize("path", [("x", "y"), ("a", "l", 5), ("c", "d"), ("a", "l", "b")])
def test_nothing_is_made_on_the_way(path: tuple[str | int, ...]) -> None:
    with pytest.raises(KeyError):
        ROOT.replace(path, node_of(1, span=Span("f", 1, 1, 2)))


def test_walk_and_paths() -> None:
    assert [dotted(path) for path, _ in ROOT.walk()] == [
        "",
        "a",
        "a.type",
        "a.l",
        "a.l.0",
        "a.l.1",
        "a.l.1.b",
        "c",
    ]


def test_keys_of_plain_data_become_text() -> None:
    assert node_of({2: (1, 2)}, span=Span("f", 1, 1, 2)).plain() == {"2": [1, 2]}
