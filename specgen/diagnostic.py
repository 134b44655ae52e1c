"""What the compiler says of a user's mistake: one type, with a place in a file and at most one hint."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of one line of a source file.

    Convention: `line` and the columns count from 1, in characters; `end_column` is one past the last
    character, so `end_column - column` is the width. A value that spans several lines is marked on its first
    line only. `file` is the path as the user wrote it, relative where they wrote it relative; `--set` for a
    command line value.

    `written` is set at the place of a `${name}`: where the value that came through the variable was written.
    Places are compared without it.
    """

    file: str
    line: int
    column: int
    end_column: int
    written: Span | None = field(default=None, compare=False, repr=False)

    @property
    def place(self) -> str:
        """`path:line:col`, which terminals and editors turn into a link."""
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake: `code` such as `E201`, a sentence without full stop, where it is, what else it has to do
    with.

    `related` holds (place, short text) pairs that are shown in the excerpt beside the main span, such as
    "gives 256@4, 512@8". `hint` is the next step; give one only when sure.
    """

    code: str
    message: str
    span: Span
    related: tuple[tuple[Span, str], ...] = ()
    hint: str | None = None

    @property
    def sort_key(self) -> tuple[str, int, int, str, str]:
        """File order: all the errors of a run are shown in it."""
        return (self.span.file, self.span.line, self.span.column, self.code, self.message)


class SpecError(Exception):
    """Carries the diagnostics of a step that cannot go on, from the step to the command line."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__("; ".join(f"{d.span.place}: {d.message}" for d in diagnostics))
        self.diagnostics: tuple[Diagnostic, ...] = tuple(sorted(diagnostics, key=lambda d: d.sort_key))
