"""The digest of a march: tells a chip from one of the same name that other programs or other cycles fit."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from runtime.bpu.march_data import March, Numbers, Quantity, Word

_ONLY_TOLD = ("chips", "summary", "advertised_tops", "units", "accuracy")
"""Of a march: neither a program nor its cycles depend on it."""


def march_digest(march: March) -> str:
    """SHA-256 of what programs and their cycles depend on, 64 hexadecimal digits.

    That is the name, the numbers, the limits, and where operations run. Not where these are from, nor how far
    predictions are from silicon: no program becomes another one when more is known of that.
    """
    fields = (field.name for field in dataclasses.fields(march) if field.name not in _ONLY_TOLD)
    said = {name: _plain(getattr(march, name)) for name in fields}
    content = json.dumps(said, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(content.encode()).hexdigest()


def _plain(value: Any) -> Any:
    """As JSON holds it; a whole number is the same whether it was written `4` or `4.0`."""
    if isinstance(value, Quantity | Numbers | Word):
        return _plain(value.value)
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
