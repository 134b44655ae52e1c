"""Whole error texts: each `tests/golden/errors/<case>.yaml` gives `<case>.txt`.

A case that begins with lines `# --set PATH=VALUE` is compiled with these options. Cases extend
`parents/bev_ipm.yaml`, a copy of the ready spec whose lines do not move.
`UPDATE_GOLDEN=1 python -m pytest tests/specgen/test_error_texts.py` writes the texts anew, to be read before
commit.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from specgen.rules import RULES

FOLDER = Path(__file__).resolve().parents[1] / "golden" / "errors"
CASES = sorted(path.stem for path in FOLDER.glob("*.yaml") if path.stem != "extends_itself_too")
_SET = "# --set "


def options(text: str) -> list[str]:
    """The `--set` options at the head of a case."""
    lines = text.splitlines()
    count = next((index for index, line in enumerate(lines) if not line.startswith(_SET)), len(lines))
    return [line.removeprefix(_SET) for line in lines[:count]]


@pytest.mark.parametrize("case", CASES)
def test_error_text(report_of: Callable[..., str], case: str) -> None:
    sets = options((FOLDER / f"{case}.yaml").read_text(encoding="utf-8", errors="replace"))
    text = report_of(f"tests/golden/errors/{case}.yaml", *sets)
    golden = FOLDER / f"{case}.txt"
    if "UPDATE_GOLDEN" in os.environ:
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_all_cases_are_found() -> None:
    assert len(CASES) >= 100
    assert sorted(path.stem for path in FOLDER.glob("*.txt")) == CASES


def test_texts_are_for_people() -> None:
    """No pointers into schemas, no Python, no line without a caret under the place."""
    for path in sorted(FOLDER.glob("*.txt")):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"#/|\$ref|\$defs|Traceback|jsonschema|None\b|True\b|False\b", text), path.name
        for part in text.split("\n\n"):
            first = part.splitlines()[0]
            assert re.match(r"\S+:[0-9]+:[0-9]+: error\[E[0-9]{3}\]: ", first), path.name
            assert not first.endswith("."), path.name


def test_the_corpus_shows_most_codes() -> None:
    texts = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.txt"))
    codes = set(re.findall(r"error\[(E[0-9]{3})\]", texts))
    assert len(codes) >= 45
    assert len(codes & set(RULES)) >= 20
