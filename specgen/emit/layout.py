"""Expressions of the generated Python, laid out as `ruff format` lays them out at 110 columns.

Calls have one keyword argument a line, so that one changed value is one changed line. Other brackets stay on
one line when they fit and hold no such call.
"""

from __future__ import annotations

from dataclasses import dataclass

from specgen.text_width import text_width

WIDTH = 110
"""Columns of every generated file."""

_STEP = 4


@dataclass(frozen=True, slots=True)
class Atom:
    """A literal or a name."""

    text: str


@dataclass(frozen=True, slots=True)
class Item:
    """One element between brackets: `prefix` is `name=` or `"key": `, `comment` the value's source."""

    expression: Expression
    prefix: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Bracket:
    """Elements between `opening` (such as `[` or `ResNet(`) and `closing`; `tall`: one line each."""

    opening: str
    items: tuple[Item, ...]
    closing: str
    tall: bool = False


Expression = Atom | Bracket


def laid_out(expression: Expression, *, indent: int, lead: int, trail: int = 0) -> str:
    """The expression's text; lines after the first are indented.

    `indent` is that of the statement or argument, `lead` the columns taken before the expression on its
    first line, `trail` those needed after it on its last.
    """
    if isinstance(expression, Atom):
        return expression.text
    flat = _flat(expression)
    if flat is not None and lead + text_width(flat) + trail <= WIDTH:
        return flat
    inner = indent + _STEP
    lines = [expression.opening]
    for item in expression.items:
        first = " " * inner + item.prefix
        text = first + laid_out(item.expression, indent=inner, lead=text_width(first), trail=1) + ","
        comment = f"# {item.comment}"
        if not item.comment:
            lines.append(text)
        elif "\n" not in text and text_width(f"{text}  {comment}") <= WIDTH:
            lines.append(f"{text}  {comment}")
        else:
            lines += [" " * inner + comment, text]
    lines.append(" " * indent + expression.closing)
    return "\n".join(lines)


def _flat(expression: Expression) -> str | None:
    """The expression on one line, None when something in it takes several."""
    if isinstance(expression, Atom):
        return expression.text
    if expression.items and (expression.tall or any(item.comment for item in expression.items)):
        return None
    parts = []
    for item in expression.items:
        text = _flat(item.expression)
        if text is None:
            return None
        parts.append(item.prefix + text)
    comma = "," if expression.opening == "(" and len(parts) == 1 else ""
    return expression.opening + ", ".join(parts) + comma + expression.closing


def bracket(opening: str, items: tuple[Item, ...], closing: str) -> Bracket:
    """A list, tuple or map; tall as soon as it holds a call with arguments."""
    return Bracket(opening, items, closing, tall=any(_holds_call(item.expression) for item in items))


def _holds_call(expression: Expression) -> bool:
    if isinstance(expression, Atom):
        return False
    is_call = expression.opening not in ("[", "(", "{")
    return (is_call and bool(expression.items)) or any(
        _holds_call(item.expression) for item in expression.items
    )
