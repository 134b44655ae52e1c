"""The one way from a value of the spec into Python source: it can produce literals and nothing else.

The text is also what `ruff format` would write, so that the generated files need no formatter.
"""

from __future__ import annotations

import math

_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def literal(value: object) -> str:
    """Python source of a scalar.

    Raises:
        TypeError: for anything that is no text, number, truth value or None, subclasses included.
        ValueError: for infinity and not-a-number, which have no literal.
    """
    kind = type(value)
    if value is None or kind is bool or kind is int:
        return repr(value)
    if isinstance(value, float) and kind is float:
        return number_text(value)
    if isinstance(value, str) and kind is str:
        return _text(value)
    raise TypeError(f"a {kind.__name__} has no literal")


def number_text(value: float) -> str:
    """The shortest decimal that reads back as `value`, `2e-5` rather than `2e-05`, in Python and YAML."""
    if not math.isfinite(value):
        raise ValueError(f"{value} has no literal")
    mantissa, exponent, power = repr(value).partition("e")
    return mantissa + (f"e{int(power)}" if exponent else "")


def quoted(value: str, quote: str) -> str:
    """A text in quotes with the escapes that Python and YAML share."""
    return quote + "".join(_character(c, quote) for c in value) + quote


def _text(value: str) -> str:
    return quoted(value, "'" if value.count('"') > value.count("'") else '"')


def _character(c: str, quote: str) -> str:
    if c in _ESCAPES:
        return _ESCAPES[c]
    if c == quote:
        return "\\" + c
    if c.isprintable():
        return c
    # Control characters, and those that would reorder or hide text in review.
    code = ord(c)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
