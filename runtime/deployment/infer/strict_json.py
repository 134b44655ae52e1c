"""A JSON file read with care: every wrong value is named by file and key."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runtime.errors import RunError

_MAX_BYTES = 2**20


@dataclass(frozen=True)
class JsonValue:
    """A value and where it stands.

    Args:
        value: as `json` reads it.
        key: dotted, empty for the whole file.
        path: of the file.
    """

    value: Any
    key: str
    path: Path

    def wrong(self, problem: str, *, hint: str | None = None) -> RunError:
        """The error of a value that `problem`, such as `is not a number`."""
        return RunError(f"`{self.key}` {problem}" if self.key else problem, hint=hint, place=str(self.path))

    def members(self, required: Iterable[str], optional: Iterable[str] = ()) -> dict[str, JsonValue]:
        """The values of an object by key.

        Raises:
            RunError: it is no object, lacks a key, or has one that is unknown.
        """
        if not isinstance(self.value, dict):
            raise self.wrong(f"is {_kind(self.value)}, expected an object")
        required, known = list(required), [*required, *optional]
        for key in self.value:
            if key not in known:
                missing = [name for name in known if name not in self.value]
                close = difflib.get_close_matches(key, missing, n=1)
                hint = f"did you mean `{close[0]}`?" if close else f"known keys: {', '.join(known)}"
                raise self._member(key).wrong("is an unknown key", hint=hint)
        for key in required:
            if key not in self.value:
                raise self._member(key).wrong("is missing")
        return {key: self._member(key) for key in self.value}

    def text(self) -> str:
        """A text that is not empty."""
        if not isinstance(self.value, str) or not self.value.strip():
            raise self.wrong(f"is {_kind(self.value)}, expected a text that is not empty")
        return self.value

    def whole(self, lowest: int, highest: int) -> int:
        """A whole number within limits."""
        if type(self.value) is not int or not lowest <= self.value <= highest:
            shown = self.value if type(self.value) is int else _kind(self.value)
            raise self.wrong(f"is {shown}, expected a whole number from {lowest} to {highest}")
        return self.value

    def numbers(self, *shape: int, meaning: str = "") -> NDArray[np.float64]:
        """Finite numbers in nested lists of this shape; `meaning` says what they are in messages."""
        return np.array(self._numbers(shape, meaning), dtype=np.float64)

    def _numbers(self, shape: tuple[int, ...], meaning: str) -> Any:
        if not shape:
            return self._number()
        expected = f"expected {' x '.join(map(str, shape))} numbers{f', {meaning}' if meaning else ''}"
        if not isinstance(self.value, list):
            raise self.wrong(f"is {_kind(self.value)}, {expected}")
        if len(self.value) != shape[0]:
            raise self.wrong(f"is a list of {len(self.value)}, {expected}")
        items = (JsonValue(item, f"{self.key}[{at}]", self.path) for at, item in enumerate(self.value))
        return [item._numbers(shape[1:], meaning) for item in items]

    def _number(self) -> float:
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            raise self.wrong(f"is {_kind(self.value)}, expected a number")
        try:
            number = float(self.value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise self.wrong(f"is {number}, expected a finite number")
        return number

    def _member(self, key: str) -> JsonValue:
        return JsonValue(self.value.get(key), f"{self.key}.{key}" if self.key else key, self.path)


def read_json(path: Path) -> JsonValue:
    """The content of a file.

    Raises:
        RunError: it is missing, larger than 1 MiB, no JSON, or has a key twice in one object.
    """
    try:
        size = path.stat().st_size
        if size > _MAX_BYTES:
            raise RunError(f"the file has {size} bytes, at most {_MAX_BYTES} are read", place=str(path))
        content = json.loads(path.read_bytes().decode("utf-8-sig"), object_pairs_hook=_without_doubles)
    except FileNotFoundError:
        raise RunError("no such file", place=str(path)) from None
    except OSError as error:
        raise RunError(f"cannot be read: {error.strerror}", place=str(path)) from error
    except RecursionError:
        raise RunError("no readable JSON: it is nested too deeply", place=str(path)) from None
    except ValueError as error:
        raise RunError(f"no readable JSON: {error}", place=str(path)) from error
    return JsonValue(content, "", path)


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        double = next(key for key in found if keys.count(key) > 1)
        raise ValueError(f"the key `{double}` stands twice in one object")
    return found


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    names = {bool: "true or false", int: "a number", float: "a number", str: "a text", list: "a list"}
    return names.get(type(value), "an object")
