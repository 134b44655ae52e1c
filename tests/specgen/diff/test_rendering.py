"""Reports as text and Markdown: nothing in a spec moves the cursor or breaks a table."""

from __future__ import annotations

from specgen.diff.markdown import as_markdown
from specgen.diff.report import Report, Row
from specgen.diff.text import as_text


def report(**rows: list[Row]) -> Report:
    return Report("a.yaml", "b.yaml", **rows)


def test_notes_stand_below_each_other_where_they_fit() -> None:
    rows = [Row("a", "1", "2", "x.yaml:1"), Row("long.name", "10", "20", "x.yaml:2")]
    assert as_text(report(written=rows), 60) == (
        "a.yaml -> b.yaml\n\nWritten\n  a: 1 -> 2            x.yaml:1\n  long.name: 10 -> 20  x.yaml:2\n"
        "\nNothing follows from it\n"
    )
    narrow = as_text(report(written=[*rows, Row("b", "x" * 20, "y" * 20, "x.yaml:3")]), 50)
    assert "  a: 1 -> 2            x.yaml:1\n" in narrow
    assert narrow.endswith(f"  b:  x.yaml:3\n    - {'x' * 20}\n    + {'y' * 20}\n\nNothing follows from it\n")


def test_added_and_removed() -> None:
    text = as_text(report(written=[Row("a", None, "1"), Row("b", "2", None)]), 80)
    assert "  a: added 1\n  b: removed 2\n" in text


def test_nothing_was_written() -> None:
    text = as_text(report(values=[Row("a", "1", "2", "default")]), 80)
    assert text == "a.yaml -> b.yaml\n\nWritten: nothing\n\nWhat follows\n  values\n    a: 1 -> 2  default\n"
    assert "**Written**\n\nNothing.\n" in as_markdown(report(values=[Row("a", "1", "2", "default")]))


def test_control_characters_are_shown_as_question_marks() -> None:
    rows = [Row("a", "\x1b[31mred", "b\x07", "\x9b.yaml")]
    for text in (as_text(report(written=rows), 80), as_markdown(report(written=rows))):
        assert "\x1b" not in text and "\x07" not in text and "\x9b" not in text
        assert "?[31mred" in text or "?\\[31mred" in text


def test_a_table_stays_a_table() -> None:
    rows = [Row("a|b", "`x`", "1\n2", "c_d*e|f <b>")]
    text = as_markdown(report(written=rows, uses=[("vars.x", ["a", "b"])]))
    assert "| `a\\|b` | `` `x` `` | `1?2` | c\\_d\\*e\\|f \\<b\\> |\n" in text
    assert text.endswith("| variable | taken by |\n|---|---|\n| `vars.x` | `a`, `b` |\n")
