"""`--set path=value`."""

from pathlib import Path

import pytest

from specgen.assignments import parse_assignments
from specgen.diagnostic import Diagnostic, SpecError
from specgen.load import load
from specgen.sources import Sources

SPEC = "vars: {n: 1}\na: {l: [{x: 1}, {x: '${n}'}], m: {2: 16}}\n"


def result(tmp_path: Path, *sets: str) -> object:
    path = tmp_path / "s.yaml"
    path.write_text(SPEC)
    return load(path, "s.yaml", Sources(), sets).root.plain()


def failure(tmp_path: Path, *sets: str) -> Diagnostic:
    with pytest.raises(SpecError) as caught:
        result(tmp_path, *sets)
    (diagnostic,) = caught.value.diagnostics
    return diagnostic


@pytest.mark.parametrize(
    ("sets", "expected"),
    [
        (["a.l.0.x=2e-4"], {"l": [{"x": 2e-4}, {"x": 1}], "m": {"2": 16}}),
        (["a.l.1.y=yes"], {"l": [{"x": 1}, {"x": 1, "y": "yes"}], "m": {"2": 16}}),
        (["a.m.2=8"], {"l": [{"x": 1}, {"x": 1}], "m": {"2": 8}}),
        (["a.m.4=24"], {"l": [{"x": 1}, {"x": 1}], "m": {"2": 16, "4": 24}}),
        (["a.l=[1, {k: =}]"], {"l": [1, {"k": "="}], "m": {"2": 16}}),
        (["vars.n=[5]"], {"l": [{"x": 1}, {"x": [5]}], "m": {"2": 16}}),
        (["vars.n=3", "a.m={}", "a.m.k=${n}"], {"l": [{"x": 1}, {"x": 3}], "m": {"k": 3}}),
        (["a.m="], {"l": [{"x": 1}, {"x": 1}], "m": None}),
    ],
)
def test_what_is_set(tmp_path: Path, sets: list[str], expected: object) -> None:
    assert result(tmp_path, *sets) == {"a": expected}


@pytest.mark.parametrize(
    ("text", "code", "column"),
    [
        ("a.l", "E017", 1),
        ("=1", "E017", 1),
        ("a..l=1", "E017", 1),
        ("b.c=1", "E018", 1),
        ("a.l.2=1", "E018", 1),
        ("a.l.x=1", "E018", 1),
        ("a.l.0.x.y=1", "E018", 1),
        ("a.m=[1", "E003", 7),
        ("a.m=!!int 1", "E006", 5),
        ("a.m=${o}", "E013", 5),
    ],
)
def test_mistakes_are_placed_in_the_option(tmp_path: Path, text: str, code: str, column: int) -> None:
    found = failure(tmp_path, "a.m.8=1", text)
    assert (found.code, found.span.file, found.span.line, found.span.column) == (code, "--set", 2, column)


def test_the_hint_names_what_was_meant(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("model: {backbone: {depth: 1}}\n")
    with pytest.raises(SpecError) as caught:
        load(path, "s.yaml", Sources(), ("model.backbon.depth=2",))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.message == "`model.backbon` is not in the spec"
    assert diagnostic.hint == "did you mean `backbone`?"
    assert failure(tmp_path, "a.l.7.x=1").hint == "`a.l` is a list of 2, counted from 0"


def test_extends_cannot_be_set() -> None:
    with pytest.raises(SpecError) as caught:
        parse_assignments(("extends=other.yaml",), Sources())
    (found,) = caught.value.diagnostics
    assert (found.code, found.message) == ("E018", "`extends` cannot be set: the files are read before")
    assert found.hint == "write it in the spec"


def test_a_stage_set_to_null_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("stages: {float: {a: 1}, qat: {a: 1}}\n")
    root = load(path, "s.yaml", Sources(), ("stages.qat=null", "stages.export=null")).root
    assert root.plain() == {"stages": {"float": {"a": 1}, "export": None}}
