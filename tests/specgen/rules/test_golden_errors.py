"""One mistake for each rule, and the full text that a person reads of it.

A case is the example that `specgen explain` shows: `specgen/codes/base.yaml` with a few words changed, from
`specgen/codes/rules.py`. `tests/golden/rules/` has the texts. After a change of words, run this file as a
script with the repository on `PYTHONPATH`: it writes the texts anew.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from specgen.codes.example import Example, Told, told
from specgen.codes.rules import RULE_EXAMPLES as CASES
from specgen.rules import RULES

GOLDEN = Path(__file__).parents[2] / "golden" / "rules"


def shown(code: str) -> Told:
    """Codes and text that the compiler gives for the example of a rule."""
    return told(Example(edits=CASES[code]))


def test_base_is_right() -> None:
    assert told(Example()) == Told((), "")


def test_every_rule_has_a_case_and_a_text() -> None:
    assert sorted(CASES) == sorted(RULES)
    assert sorted(path.stem for path in GOLDEN.glob("*.txt")) == sorted(RULES)


@pytest.mark.parametrize("code", sorted(CASES))
def test_text(code: str) -> None:
    found = shown(code)
    # One mistake is one kind of message: the rules do not report the same thing twice.
    assert found.codes == (code,)
    assert found.text == (GOLDEN / f"{code}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("code", sorted(RULES))
def test_rule_is_its_docstring(code: str) -> None:
    text = (RULES[code].__doc__ or "").strip()
    assert re.fullmatch(r"[A-Z`].*\.", text), "one sentence that says what must be"


def test_all_mistakes_at_once_in_file_order() -> None:
    chosen = ("E337", "E371", "E302", "E366")
    found = told(Example(edits=tuple(edit for code in chosen for edit in CASES[code])))
    assert set(found.codes) == set(chosen)
    assert re.findall(r"error\[(E\d+)\]", found.text) == ["E371", "E302", "E337", "E366"]


if __name__ == "__main__":
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for name in CASES:
        now = shown(name)
        (GOLDEN / f"{name}.txt").write_text(now.text, encoding="utf-8")
        if now.codes != (name,):
            print(name, "gives", now.codes, file=sys.stderr)
