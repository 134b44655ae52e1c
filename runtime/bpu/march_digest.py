"""The digest of a march: tells a chip from one of the same name of which something else is said."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from runtime.bpu.march_data import March


def march_digest(march: March) -> str:
    """SHA-256 of everything that a march says, 64 hexadecimal digits; equal marches have equal digests."""
    content = json.dumps(_plain(march), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(content.encode()).hexdigest()


def _plain(value: Any) -> Any:
    """As JSON holds it; a whole number is the same whether it was written `4` or `4.0`."""
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
