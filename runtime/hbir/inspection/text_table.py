"""Rows in columns that fit a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runtime.text_columns import GAP, column_cell

_SHORTEST = 11

Row = dict[str, str]


@dataclass(frozen=True)
class TextTable:
    """Columns with a head.

    Args:
        columns: their keys and heads, in order.
        name: the column whose texts are shortened where the rest leaves no room.
        right: columns of numbers.
        optional: columns that narrow terminals go without, first things first.
    """

    columns: Sequence[str]
    name: str
    right: Sequence[str] = ()
    optional: Sequence[str] = ()

    def lines(self, rows: Sequence[Row | str], width: int) -> list[str]:
        """Head and rows in `width` characters.

        Args:
            rows: cells by column, some may be missing, or a line of its own. A row whose cells are all in
                columns that are left out is left out, too.
            width: at least that of the columns that cannot be left out.
        """
        columns, cells = list(self.columns), [row for row in rows if not isinstance(row, str)]
        sizes = {key: max(len(key), *(len(row.get(key, "")) for row in cells)) for key in columns}

        def room() -> int:
            return width - sum(sizes[key] + len(GAP) for key in columns if key != self.name)

        for key in self.optional:
            if room() < min(sizes[self.name], _SHORTEST):
                columns.remove(key)
        sizes[self.name] = min(sizes[self.name], max(room(), _SHORTEST))

        def line(row: Row | str) -> str:
            if isinstance(row, str):
                return column_cell(row, width).rstrip()
            texts = [column_cell(row.get(key, ""), sizes[key], right=key in self.right) for key in columns]
            return GAP.join(texts).rstrip()

        found = [line(row) for row in ({key: key for key in columns}, *rows)]
        return [text for text in found if text]
