"""The documentation page is that of the code."""

from pathlib import Path

from runtime.hbir.ops import OPERATIONS
from runtime.hbir.page import page

ROOT = Path(__file__).resolve().parents[2]


def test_page_is_up_to_date() -> None:
    written = (ROOT / "docs" / "hbir.md").read_text(encoding="utf-8")
    assert written == page(), "run `python -m runtime.hbir.page > docs/hbir.md`"


def test_every_operation_has_its_formula() -> None:
    for operation in OPERATIONS.values():
        first = (type(operation).__doc__ or "").partition("\n")[0]
        assert "y" in first and "`" in first, operation.name
