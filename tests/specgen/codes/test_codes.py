"""Every code that the compiler can say is explained, by an example that gives exactly it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from specgen.codes import GROUPS, entries, group
from specgen.codes.example import Example, Told, base_text, told
from specgen.codes.text import code_text, codes_text, example_lines
from specgen.rules import RULES

ROOT = Path(__file__).resolve().parents[3]
# No spec can break it today: every component that comes with specgen has a class, and a plugin must have one.
WITHOUT_EXAMPLE = {"E404"}


def said() -> set[str]:
    """The codes in the compiler's sources."""
    files = [path for path in (ROOT / "specgen").rglob("*.py") if "codes" not in path.parts]
    assert len(files) > 50
    return {code for path in files for code in re.findall(r'"(E\d{3})"', path.read_text(encoding="utf-8"))}


def test_every_code_that_is_said_is_explained() -> None:
    assert set(entries()) == said()
    assert set(RULES) < said()


def test_codes_are_in_order_and_in_a_group() -> None:
    codes = list(entries())
    assert codes == sorted(codes)
    assert len(codes) > 70
    assert {group(code) for code in codes} == set(GROUPS.values())


@pytest.mark.parametrize("code", sorted(entries()))
def test_an_example_gives_its_code_and_no_other(code: str) -> None:
    entry = entries()[code]
    if code in WITHOUT_EXAMPLE:
        assert entry.example is None
        return
    assert entry.example is not None
    assert told(entry.example).codes == (code,)


@pytest.mark.parametrize("code", sorted(entries()))
def test_meaning_and_remedy_are_sentences(code: str) -> None:
    entry = entries()[code]
    assert re.fullmatch(r"[A-Z`].*\.", entry.meaning)
    assert re.fullmatch(r"[A-Z`].*\.", entry.remedy), "what to do about it"


def test_the_spec_that_the_examples_change_is_right() -> None:
    assert told(Example()) == Told((), "")


def test_words_that_are_not_in_the_spec_are_a_mistake_of_the_example() -> None:
    with pytest.raises(ValueError, match=re.escape("`base.yaml` has no 'no such words'")):
        Example(edits=(("no such words", ""),)).spec()


def test_a_code_as_text() -> None:
    assert code_text("E302", 60) == (
        "E302: A range of random values runs from low to high.\n"
        "(rules between values)\n"
        "\n"
        "For example, in a right spec, `small.yaml`:\n"
        "\n"
        "  -    - {type: BevRotate, rot: [-0.1, 0.1], ignore_index: -1}\n"
        "  +    - {type: BevRotate, rot: [0.1, -0.1], ignore_index: -1}\n"
        "\n"
        "specgen says:\n"
        "\n"
        "  small.yaml:20:30: error[E302]: `model.bev_transforms.0.rot` is [0.1, -0.1], but a range starts "
        "with the lower value\n"
        "  20 |     - {type: BevRotate, rot: [0.1, -0.1], ignore_index: -1}\n"
        "     |                              ^^^^^^^^^^^\n"
        "  hint: write [-0.1, 0.1]\n"
        "\n"
        "What to do: Swap the two values."
    )


def test_a_long_example_is_cut() -> None:
    entry = entries()["E361"]
    assert entry.example is not None
    lines = example_lines(entry.example)
    assert len(lines) == 8
    assert re.fullmatch(r"-\.\.\. \d+ more lines", lines[-1])


@pytest.mark.parametrize("width", [80, 110])
def test_the_list_of_codes_fits(width: int) -> None:
    lines = codes_text(width).splitlines()
    assert max(map(len, lines)) <= width
    assert sum(bool(re.match(r"  E\d{3}  ", line)) for line in lines) == len(entries())


def test_examples_are_told_alike_wherever_the_user_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = told(Example(text="name: [\n")).text
    monkeypatch.chdir(tmp_path)
    assert told(Example(text="name: [\n")).text == before
    assert before.startswith("small.yaml:2:1: error[E003]")
    assert base_text().startswith("name: small\n")
