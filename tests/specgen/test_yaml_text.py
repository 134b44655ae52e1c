"""YAML text to nodes: values, places, and what is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specgen.diagnostic import SpecError
from specgen.yaml_text import MAX_DEPTH, parse_yaml


def codes(text: str) -> list[tuple[str, int, int]]:
    with pytest.raises(SpecError) as caught:
        parse_yaml(text, "f.yaml")
    return [(d.code, d.span.line, d.span.column) for d in caught.value.diagnostics]


def test_places_of_keys_and_values() -> None:
    root = parse_yaml("a: 12\nb:\n  c: [1, 22]\n  d:\n    - type: x\n      k: ü\n", "f.yaml")

    def place(*path: str | int) -> tuple[int, int, int]:
        span = root.at(*path).span
        return span.line, span.column, span.end_column

    assert place("a") == (1, 4, 6)
    assert place("b", "c") == (3, 6, 13)
    assert place("b", "c", 1) == (3, 10, 12)
    assert place("b", "d", 0) == (5, 7, 14)  # the first entry of the element
    assert place("b", "d", 0, "k") == (6, 10, 11)
    assert place("b") == (2, 1, 2)  # a block is marked by its key
    key = root.at("b", "c").key_span
    assert key is not None and (key.line, key.column, key.end_column) == (3, 3, 4)


def test_a_value_over_several_lines_is_marked_on_its_first() -> None:
    span = parse_yaml("a: [1,\n    2]\n", "f").at("a").span
    assert (span.line, span.column, span.end_column) == (1, 4, 7)


def test_quoted_scalars_are_text_and_plain_ones_are_resolved() -> None:
    assert parse_yaml("{a: '1', b: \"true\", c: 1, d: on}", "f").plain() == {
        "a": "1",
        "b": "true",
        "c": 1,
        "d": "on",
    }


def test_whole_numbers_as_keys_are_kept_as_written() -> None:
    assert parse_yaml("{2: 16, 04: 24}", "f").plain() == {"2": 16, "04": 24}


def test_windows_line_ends_and_empty_values() -> None:
    assert parse_yaml("a:\r\nb: 1\r\n", "f").plain() == {"a": None, "b": 1}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", [("E005", 3, 1)]),
        ("a: &x 1\nb: *x\n", [("E007", 1, 4), ("E007", 2, 4)]),
        ("a: {}\n<<: {b: 1}\n", [("E007", 2, 1)]),
        ("a: !!int '3'\n", [("E006", 1, 4)]),
        ("a: !python/object/apply:os.system [ls]\n", [("E006", 1, 4)]),
        ("a: 1\n---\nb: 1\n", [("E004", 2, 1)]),
        ("1.5: a\n", [("E008", 1, 1)]),
        ("true: a\n", [("E008", 1, 1)]),
        ("~: a\n", [("E008", 1, 1)]),
        ("? [a]\n: 1\n", [("E008", 1, 3)]),
        ("a: .inf\n", [("E009", 1, 4)]),
        ("a: [1\nb: 2\n", [("E003", 2, 2)]),
        ("a:\n\t- 1\n", [("E003", 2, 1)]),
        ("a: b\x07\n", [("E003", 1, 5)]),
        ("%TAG ! tag:x,2000:\n---\na: 1\n", [("E003", 1, 1)]),
        ("a: 'open\n", [("E003", 1, 4)]),
    ],
)
def test_refused(text: str, expected: list[tuple[str, int, int]]) -> None:
    assert codes(text) == expected


def test_all_mistakes_at_once() -> None:
    assert [code for code, _, _ in codes("a: &x 1\na: 2\nb: !t 3\nc: .nan\n")] == [
        "E007",
        "E005",
        "E006",
        "E009",
    ]


def test_nesting_is_bounded() -> None:
    assert codes("[" * 5000)[0][0] == "E010"
    depth = MAX_DEPTH - 1
    assert parse_yaml("[" * depth + "]" * depth, "f").is_list


def test_a_value_of_the_command_line_is_placed_in_it() -> None:
    span = parse_yaml("[1, 2]", "--set", line=3, column=9).at(1).span
    assert (span.line, span.column) == (3, 13)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from(list("ab:-[]{}&*!|>'\"#%@`,? \n\t0123.e~$\u2028\x00é")), max_size=40))
def test_any_text_gives_a_node_or_diagnostics(text: str) -> None:
    try:
        parse_yaml(text, "f").plain()
    except SpecError as error:
        assert error.diagnostics


def test_no_text_holds_a_nul() -> None:
    with pytest.raises(SpecError) as caught:
        parse_yaml('extends: "a\\0b"', "x.yaml")
    (found,) = caught.value.diagnostics
    assert (found.code, found.message) == ("E002", "the character U+0000 is not allowed in a text")
