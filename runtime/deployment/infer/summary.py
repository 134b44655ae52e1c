"""A prediction as a few lines of text."""

from __future__ import annotations

from collections import Counter
from typing import Any


def summary_text(document: dict[str, Any], score: float) -> str:
    """What `result.json` says, in lines: for each task how many boxes of a class, or square metres of it.

    Args:
        document: content of `result.json`.
        score: boxes below it are counted apart.
    """
    lines = []
    for name, task in document["tasks"].items():
        if task["kind"] == "boxes":
            lines += _boxes(name, task["boxes"], score)
        else:
            lines.append(f"{name}: map of {task['cell']:g} m cells, square metres")
            lines += [f"  {row['class']:<22}{row['area']:8.1f}" for row in task["classes"]]
    return "\n".join(lines)


def _boxes(name: str, boxes: list[dict[str, Any]], score: float) -> list[str]:
    shown = Counter(box["class"] for box in boxes if box["score"] >= score)
    below = len(boxes) - shown.total()
    head = f"{name}: {shown.total()} boxes with score >= {score:g}, {below} below"
    return [head, *(f"  {kind:<22}{count:6d}" for kind, count in shown.most_common())]
