"""The texts that a spec was read from, for the excerpts of diagnostics."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from specgen.diagnostic import Diagnostic, Span, SpecError

COMMAND_LINE = "--set"


@dataclass(frozen=True, slots=True)
class Sources:
    """Texts by file name as shown to the user, and where the values of variables were written.

    `uses` maps the place of a `${name}` to (name, place of its value), so that a diagnostic about the value
    can show both.
    """

    texts: dict[str, str] = field(default_factory=dict)
    uses: dict[Span, tuple[str, Span]] = field(default_factory=dict)

    def line(self, span: Span) -> str | None:
        """The line of `span` as the user wrote it, None where there is none."""
        lines = self.texts.get(span.file, "").splitlines()
        return lines[span.line - 1] if 0 < span.line <= len(lines) else None

    def with_definitions(self, diagnostic: Diagnostic) -> Diagnostic:
        """The diagnostic, also showing where the variable that it is about was set."""
        if diagnostic.span not in self.uses:
            return diagnostic
        name, place = self.uses[diagnostic.span]
        if any(span == place for span, _ in diagnostic.related):
            return diagnostic
        related = (*diagnostic.related, (place, f"`{name}` is set here"))
        return Diagnostic(diagnostic.code, diagnostic.message, diagnostic.span, related, diagnostic.hint)


def read_text(path: Path, shown: str, *, asked_at: Span | None = None) -> str:
    """The text of a spec file.

    Raises:
        SpecError: when it cannot be read, placed at `asked_at` where another file names it.
    """
    span = asked_at or Span(shown, 1, 1, 2)
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise SpecError(Diagnostic("E001", f"the file `{shown}` does not exist", span)) from None
    except IsADirectoryError:
        raise SpecError(Diagnostic("E001", f"`{shown}` is a folder, not a spec file", span)) from None
    except OSError as error:
        message = f"the file `{shown}` cannot be read: {error.strerror or error}"
        raise SpecError(Diagnostic("E001", message, span)) from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        message = f"the byte 0x{raw[error.start]:02x} is not UTF-8 text"
        raise SpecError(
            Diagnostic("E002", message, Span(shown, line, 1, 2), hint="save the file as UTF-8")
        ) from None
