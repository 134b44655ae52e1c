"""`vars` and `${name}`."""

import pytest

from specgen.diagnostic import Diagnostic, SpecError
from specgen.document import Node
from specgen.variables import substituted
from specgen.yaml_text import parse_yaml


def result(text: str) -> Node:
    root = parse_yaml(text, "f.yaml")
    return substituted(root, [root]).root


def failures(text: str) -> tuple[Diagnostic, ...]:
    root = parse_yaml(text, "f.yaml")
    try:
        found = substituted(root, [root]).unused
    except SpecError as error:
        found = error.diagnostics
    assert found
    return found


def test_a_whole_value_keeps_its_type() -> None:
    text = "vars: {n: 3, l: [1, {a: 2}], t: true, z: null, s: x}\n"
    text += "a: ${n}\nb: '${l}'\nc: ${t}\nd: ${z}\ne: ${s}\n"
    assert result(text).plain() == {"a": 3, "b": [1, {"a": 2}], "c": True, "d": None, "e": "x"}


def test_inside_a_text_it_is_formatted() -> None:
    text = "vars: {root: data, n: 2, r: 0.5}\na: ${root}/v${n}/${r}\nb: $${root} $${n}\nc: cost $5 ${n}\n"
    assert result(text).plain() == {"a": "data/v2/0.5", "b": "${root} ${n}", "c": "cost $5 2"}


def test_variables_of_variables() -> None:
    text = "vars: {root: data, train: '${root}/train', both: ['${train}', '${root}']}\na: ${both}\n"
    assert result(text).plain() == {"a": ["data/train", "data"]}


def test_a_value_has_the_place_of_its_use_and_remembers_where_it_was_set() -> None:
    root = result("vars:\n  n: [1, '${m}']\n  m: 2\na: ${n}\n")
    nodes = [node for _, node in root.at("a").walk()]
    assert {node.span.place for node in nodes} == {"f.yaml:4:4"}
    places = [node.span.written.place for node in nodes if node.span.written is not None]
    assert places == ["f.yaml:2:6", "f.yaml:2:7", "f.yaml:3:6"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("vars: {size: 1}\na: ${size} x\nb: ${sise}\n", ["E013 there is no variable `sise`"]),
        ("a: ${}\n", ["E013 there is no variable ``"]),
        (
            "vars: {a: '${b}', b: '${a}'}\nx: ${a}\n",
            ["E014 the variables go round in a circle: `a` -> `b` -> `a`"],
        ),
        ("vars: {a: 'x${a}'}\nx: ${a}\n", ["E014 the variables go round in a circle: `a` -> `a`"]),
        ("vars: {l: [1]}\na: x${l}\n", ["E015 `l` is a list, which cannot stand inside a text"]),
        ("vars: {m: {k: 1}}\na: x${m}\n", ["E015 `m` is a map, which cannot stand inside a text"]),
        (
            "vars: {b: true}\na: x${b}\n",
            ["E015 `b` is neither text nor a number, which cannot stand inside a text"],
        ),
        ("vars: {used: 1, unsed: 2}\na: ${used}\n", ["E016 the variable `unsed` is used nowhere"]),
        ("vars: [1]\n", ["E012 `vars` is a map of names to values"]),
    ],
)
def test_mistakes(text: str, expected: list[str]) -> None:
    assert [f"{d.code} {d.message}" for d in failures(text)] == expected


def test_a_bad_name() -> None:
    assert [d.code for d in failures("vars: {a-b: 1}\nx: ${a-b}\n")] == ["E012"]


def test_hints_say_what_was_meant() -> None:
    assert failures("vars: {size: 1}\na: ${size}\nb: ${sise}\n")[0].hint == "did you mean `size`?"
    # Both are set here, so that each was meant as it is.
    assert failures("vars: {used: 1, unsed: 2}\na: ${used}\n")[0].hint is None


def test_a_slip_in_a_name_is_one_mistake() -> None:
    (once,) = failures("vars:\n  sise: 1\na: ${size}\n")
    assert (once.code, once.message, once.hint) == (
        "E013",
        "there is no variable `size`",
        "did you mean `sise`?",
    )
    (twice,) = failures("vars:\n  sise: 1\na: ${size}\nb: ${size}\n")
    assert (twice.code, twice.span.place, twice.hint) == ("E016", "f.yaml:2:3", "did you mean `size`?")
    (missing,) = failures("a: ${size}\nb: ${size}\nc: x${size}\n")
    assert missing.span.place == "f.yaml:1:4"
    assert [(span.place, text) for span, text in missing.related] == [
        ("f.yaml:2:4", "also used here, and in 1 more place")
    ]


def test_expansion_is_bounded() -> None:
    lines = "\n".join(f"  v{i}: ['${{v{i + 1}}}', '${{v{i + 1}}}', '${{v{i + 1}}}']" for i in range(30))
    (found,) = failures(f"vars:\n{lines}\n  v30: 1\na: ${{v0}}\n")
    assert found.code == "E010"
