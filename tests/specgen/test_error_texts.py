"""Whole error texts: each `tests/golden/errors/<case>.yaml` gives `<case>.txt`.

`UPDATE_GOLDEN=1 python -m pytest tests/specgen/test_error_texts.py` writes the texts anew, to be read before
commit.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "golden" / "errors"
CASES = (
    sorted(path.stem for path in FOLDER.glob("*.txt"))
    if "UPDATE_GOLDEN" not in os.environ
    else sorted(path.stem for path in FOLDER.glob("*.yaml") if path.stem != "extends_itself_too")
)


@pytest.mark.parametrize("case", CASES)
def test_error_text(report_of: Callable[..., str], case: str) -> None:
    text = report_of(f"tests/golden/errors/{case}.yaml")
    golden = FOLDER / f"{case}.txt"
    if "UPDATE_GOLDEN" in os.environ:
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_all_cases_are_found() -> None:
    assert len(CASES) == 11
