"""Rows of text in columns."""

from __future__ import annotations

from collections.abc import Collection, Sequence

GAP = "  "


def aligned_columns(
    rows: Sequence[Sequence[str]], *, right: Collection[int] = (), sizes: Sequence[int] | None = None
) -> list[str]:
    """A line for each row, without blanks at its end.

    Args:
        rows: cells; as many in each row.
        right: columns whose cells stand to the right, as numbers do.
        sizes: of the columns, in characters; longer cells lose their middle. As wide as the widest cell by
            default.
    """
    if sizes is None:
        sizes = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        GAP.join(
            column_cell(cell, size, right=column in right)
            for column, (cell, size) in enumerate(zip(row, sizes, strict=True))
        ).rstrip()
        for row in rows
    ]


def column_cell(text: str, size: int, *, right: bool = False) -> str:
    """A text in just so many characters."""
    short = _shortened(text, size)
    return short.rjust(size) if right else short.ljust(size)


def _shortened(text: str, size: int) -> str:
    """Without its middle where it is too long: both ends of a dotted name tell something."""
    if len(text) <= size:
        return text
    head = (size - 1) // 3
    return f"{text[:head]}…{text[len(text) - (size - 1 - head) :]}"
