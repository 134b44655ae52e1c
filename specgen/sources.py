"""The texts that a spec was read from, for the excerpts of diagnostics."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from specgen.diagnostic import Diagnostic, Span, SpecError

COMMAND_LINE = "--set"
MAX_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sources:
    """Texts by file name as shown to the user."""

    texts: dict[str, str] = field(default_factory=dict)

    def line(self, span: Span) -> str | None:
        """The line of `span` as the user wrote it, None where there is none."""
        lines = _lines(self.texts.get(span.file, ""))
        return lines[span.line - 1] if 0 < span.line <= len(lines) else None


@lru_cache(maxsize=8)
def _lines(text: str) -> tuple[str, ...]:
    return tuple(text.splitlines())


def read_text(path: Path, shown: str, *, asked_at: Span | None = None) -> str:
    """The text of a spec file.

    Raises:
        SpecError: when it cannot be read, placed at `asked_at` where another file names it.
    """
    span = asked_at or Span(shown, 1, 1, 2)
    try:
        if path.is_fifo():  # opening it waits for a writer that may never come
            raise SpecError(Diagnostic("E001", f"`{shown}` is a pipe, not a spec file", span))
        with path.open("rb") as file:  # a device has no end
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise SpecError(Diagnostic("E001", f"the file `{shown}` does not exist", span)) from None
    except IsADirectoryError:
        raise SpecError(Diagnostic("E001", f"`{shown}` is a folder, not a spec file", span)) from None
    except OSError as error:
        message = f"the file `{shown}` cannot be read: {error.strerror or error}"
        raise SpecError(Diagnostic("E001", message, span)) from None
    if len(raw) > MAX_BYTES:
        message = f"`{shown}` is too large for a spec: more than {MAX_BYTES // 1024} KiB"
        raise SpecError(Diagnostic("E001", message, span))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        message = f"the byte 0x{raw[error.start]:02x} is not UTF-8 text"
        raise SpecError(
            Diagnostic("E002", message, Span(shown, line, 1, 2), hint="save the file as UTF-8")
        ) from None
