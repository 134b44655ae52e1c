"""Diagnostics as text, JSON and annotations."""

import json

from specgen.diagnostic import Diagnostic, Span, SpecError
from specgen.report import rendered
from specgen.sources import Sources

TEXT = "name: x\nmodel:\n\tbackbone: {depth: 50}\n  neck:\n\n\n\n\n\n    in_channels: [40, 320]\n"
SOURCES = Sources({"my.yaml": TEXT, "base.yaml": "a: 1\n"})


def test_the_excerpt_shows_both_places_and_the_hint() -> None:
    found = Diagnostic(
        "E201",
        "`neck` is [40, 320], but the backbone gives [512, 2048]",
        Span("my.yaml", 10, 18, 27),
        ((Span("my.yaml", 3, 13, 22), "gives 512@8, 2048@32"), (Span("base.yaml", 1, 4, 5), "and here")),
        "leave it out",
    )
    assert rendered([found], SOURCES) == (
        "my.yaml:10:18: error[E201]: `neck` is [40, 320], but the backbone gives [512, 2048]\n"
        " 3 |  backbone: {depth: 50}\n"
        "   |             --------- gives 512@8, 2048@32\n"
        "10 |     in_channels: [40, 320]\n"
        "   |                  ^^^^^^^^^\n"
        "   --> base.yaml:1:4\n"
        " 1 | a: 1\n"
        "   |    - and here\n"
        "hint: leave it out\n"
    )


def test_file_order_whatever_the_order_of_finding() -> None:
    found = [Diagnostic("E1", "m", Span(f, line, 1, 2)) for f, line in [("b", 1), ("a", 10), ("a", 9)]]
    places = [line.split(": ")[0] for line in rendered(found, Sources()).splitlines() if line]
    assert places == ["a:9:1", "a:10:1", "b:1:1"]


def test_long_lines_are_cut_around_the_mark() -> None:
    line = "x" * 500 + "HERE" + "y" * 500
    text = rendered([Diagnostic("E1", "m", Span("f", 1, 501, 505))], Sources({"f": line}))
    _, shown, marks = text.splitlines()
    assert len(shown) < 160 and shown.startswith("1 | …") and shown.endswith("…")
    assert shown[marks.index("^") : marks.rindex("^") + 1] == "HERE"


def test_terminal_escapes_are_not_passed_on() -> None:
    sources = Sources({"f": "key: \x1b[31m\u202ex"})
    text = rendered([Diagnostic("E1", "bad \x1b[2J", Span("f", 1, 6, 13), hint="\x07")], sources)
    assert "\x1b" not in text and "\u202e" not in text and "\x07" not in text


def test_json() -> None:
    found = Diagnostic("E1", "mé", Span("f", 1, 2, 3), ((Span("g", 4, 5, 6), "r"),), None)
    assert json.loads(rendered([found], Sources(), "json")) == [
        {
            "code": "E1",
            "message": "mé",
            "file": "f",
            "line": 1,
            "column": 2,
            "end_column": 3,
            "related": [{"file": "g", "line": 4, "column": 5, "end_column": 6, "message": "r"}],
            "hint": None,
        }
    ]


def test_github_annotations_are_escaped() -> None:
    found = Diagnostic("E1", "100%\nx", Span("a,b:c.yaml", 1, 2, 3), hint="h")
    assert rendered([found], Sources(), "github") == (
        "::error file=a%2Cb%3Ac.yaml,line=1,col=2,endColumn=3,title=E1::100%25%0Ax%0Ahint: h\n"
    )


def test_the_exception_reads_well_too() -> None:
    error = SpecError(Diagnostic("E1", "b", Span("f", 2, 1, 2)), Diagnostic("E1", "a", Span("f", 1, 1, 2)))
    assert [d.message for d in error.diagnostics] == ["a", "b"]
    assert "f:2:1: b" in str(error)


def test_marks_far_apart_on_a_long_line_are_shown_apart() -> None:
    line = "a" * 400 + "HERE" + "b" * 400 + "THERE"
    found = Diagnostic("E1", "m", Span("f", 1, 401, 405), ((Span("f", 1, 805, 810), "first"),))
    lines = rendered([found], Sources({"f": line})).splitlines()
    assert len(lines) == 5 and all(len(row) < 170 for row in lines)
    assert [row[0] for row in lines[1::2]] == ["1", "1"]


def test_a_person_is_shown_the_first_hundred() -> None:
    found = [Diagnostic("E1", "m", Span("f", number, 1, 2)) for number in range(1, 251)]
    text = rendered(found, Sources({"f": "x\n" * 250}))
    assert text.count("error[E1]") == 100 and text.endswith("\nand 150 more; `--format json` shows all\n")
    assert len(json.loads(rendered(found, Sources(), "json"))) == 250
