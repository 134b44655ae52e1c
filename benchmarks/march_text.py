"""A march document as text: one number with its provenance a line."""

from __future__ import annotations

import json
from typing import Any


def march_text(document: Any) -> str:
    """JSON, indented by two, with leaves of provenance and plain lists on one line."""
    return _text(document, 0) + "\n"


def _text(node: Any, depth: int) -> str:
    pad = "  " * (depth + 1)
    if isinstance(node, dict) and "provenance" not in node and node:
        lines = [f"{pad}{json.dumps(key)}: {_text(value, depth + 1)}" for key, value in node.items()]
        return "{\n" + ",\n".join(lines) + "\n" + "  " * depth + "}"
    if isinstance(node, list) and any(isinstance(item, dict) for item in node):
        items = [pad + json.dumps(item, ensure_ascii=False) for item in node]
        return "[\n" + ",\n".join(items) + "\n" + "  " * depth + "]"
    return json.dumps(node, ensure_ascii=False)
