"""JSON that nobody vouches for: parsed within bounds, its values taken one by one with their types."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, TypeVar

_MAX_LISTS = 2**20
"""Lists and objects: what a parser makes of a few bytes each."""
_MAX_INTEGER = 2**63
_T = TypeVar("_T")


def parse(content: bytes) -> Any:
    """The value of a JSON document.

    Raises:
        ValueError: no JSON, repeated keys, NaN or infinity, nested too deeply, too many lists.
    """
    if content.count(b"[") + content.count(b"{") > _MAX_LISTS:
        raise ValueError(f"more than {_MAX_LISTS} lists")
    try:
        return json.loads(
            content.decode("utf-8"), object_pairs_hook=_without_repeats, parse_constant=_refuse_constant
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is no number of JSON")


def integer(value: Any) -> int:
    """A whole number of 64 bits.

    Raises:
        ValueError: it is something else.
    """
    if type(value) is not int or not -_MAX_INTEGER <= value < _MAX_INTEGER:
        raise ValueError(f"{_shown(value)} is no integer of 64 bits")
    return value


def index(value: Any, count: int) -> int:
    """A place among `count`.

    Raises:
        ValueError: it is something else.
    """
    found = integer(value)
    if not 0 <= found < count:
        raise ValueError(f"{found} is no place among {count}")
    return found


def real(value: Any) -> float:
    """A finite number with a point.

    Raises:
        ValueError: it is something else.
    """
    if type(value) is not float or not math.isfinite(value):
        raise ValueError(f"{_shown(value)} is no finite number")
    return value


def text(value: Any) -> str:
    """A string.

    Raises:
        ValueError: it is something else.
    """
    if type(value) is not str:
        raise ValueError(f"{_shown(value)} is no text")
    return value


def items(value: Any, item: Callable[[Any], _T]) -> tuple[_T, ...]:
    """A list of values of one kind.

    Raises:
        ValueError: it is something else.
    """
    if type(value) is not list:
        raise ValueError(f"{_shown(value)} is no list")
    return tuple(item(part) for part in value)


def entries(value: Any, item: Callable[[Any], _T]) -> dict[str, _T]:
    """An object with values of one kind.

    Raises:
        ValueError: it is something else.
    """
    if type(value) is not dict:
        raise ValueError(f"{_shown(value)} is no object")
    return {key: item(part) for key, part in value.items()}


def row(value: Any, length: int) -> list[Any]:
    """A list of so many values of different kinds.

    Raises:
        ValueError: it is something else.
    """
    if type(value) is not list or len(value) != length:
        raise ValueError(f"{_shown(value)} is no list of {length} values")
    return value


def keyed(value: Any, *keys: str) -> dict[str, Any]:
    """An object with just these keys.

    Raises:
        ValueError: it is something else.
    """
    if type(value) is not dict or set(value) != set(keys):
        raise ValueError(f"{_shown(value)} has not the keys {', '.join(keys)}")
    return value


def _shown(value: Any) -> str:
    """The beginning of a value, however large or deep it is."""
    if isinstance(value, dict | list):
        return f"{'a list' if isinstance(value, list) else 'an object'} of {len(value)}"
    if isinstance(value, int) and abs(value) >= 2**64:
        return "a huge number"
    shown = repr(value)
    return shown if len(shown) <= 40 else f"{shown[:40]}…"
