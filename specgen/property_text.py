"""A property of a schema in words: type with bounds and choices, unit, default, where it is derived from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from specgen.schemas import Schema, Schemas
from specgen.value_text import value_text

_TYPES = {
    "string": ("text", "texts"),
    "number": ("number", "numbers"),
    "integer": ("whole number", "whole numbers"),
    "boolean": ("`true` or `false`", "`true` or `false`"),
    "array": ("list", "lists"),
    "object": ("map", "maps"),
    "null": ("`null`", "`null`"),
}
_PATTERNS = {
    "^[a-z][a-z0-9_]*$": "lower-case letters, digits and `_`",
    "^[A-Za-z_][A-Za-z0-9_]*$": "letters, digits and `_`",
    "^[1-9][0-9]*$": "a whole number",
}


@dataclass(frozen=True, slots=True)
class PropertyText:
    """What there is to say of a property.

    Attributes:
        description: a sentence.
        shape: type, bounds and choices.
        unit: empty without one.
        default: as a spec writes it; None without one.
        derived: where it comes from when it is left out; empty when from nowhere.
        required: whether it must be written.
    """

    description: str
    shape: str
    unit: str
    default: str | None
    derived: str
    required: bool


def property_text(schema: Schema, schemas: Schemas, *, required: bool) -> PropertyText:
    """The words for the property that `schema` describes."""
    view = schemas.view(schema)
    return PropertyText(
        description=str(view.get("description", "")),
        shape=shape(view, schemas) + _such_as(view),
        unit=str(view.get("x-unit", "")),
        default=value_text(view["default"]) if "default" in view else None,
        derived=str(view.get("x-derived", "")).rstrip("."),
        required=required,
    )


def shape(schema: Schema, schemas: Schemas, *, many: bool = False) -> str:
    """Type, bounds and choices: `whole number, at least 1`. `many` puts it in the plural, for elements."""
    view = schemas.view(schema)
    if "x-kind" in view:
        kind = f"component{'s' if many else ''} of the kind `{view['x-kind']}`"
        return f"{kind}, or `null`" if "null" in _types(view) else kind
    if "const" in view:
        return f"always {code(view['const'])}"
    if "enum" in view:
        choices = [code(choice) for choice in view["enum"]]
        if len(choices) == 1:
            return f"always {choices[0]}"
        return f"{'words out of' if many else 'one of'} {', '.join(choices)}"
    if "anyOf" in view:
        return "; or ".join(shape(option, schemas, many=many) for option in view["anyOf"])
    names = _types(view)
    text = (
        "; or ".join(_of_type(name, view, schemas, many) for name in names if name != "null") or "any value"
    )
    return f"{text}, or `null`" if "null" in names and len(names) > 1 else text


def _such_as(view: Schema) -> str:
    """What the schema gives as examples, for a value whose choices a rule knows and not the schema."""
    return f", such as {', '.join(code(value) for value in view['examples'])}" if "examples" in view else ""


def code(value: Any) -> str:
    """A value between backticks, as a spec writes it."""
    return f"`{value_text(value)}`"


def _types(view: Schema) -> list[str]:
    given = view.get("type", [])
    return [given] if isinstance(given, str) else list(given)


def _of_type(name: str, view: Schema, schemas: Schemas, many: bool) -> str:
    noun = _TYPES[name][many]
    if name == "array":
        return _list(noun, view, schemas)
    if name == "object":
        return _map(noun, view, schemas)
    if name == "string":
        pattern = view.get("pattern")
        return f"{noun} of {_PATTERNS[pattern]}" if pattern in _PATTERNS else noun
    limits = bounds(view)
    if not limits:
        return noun
    return f"{noun} ({limits})" if many else f"{noun}, {limits}"


def bounds(view: Schema) -> str:
    """`1 to 8`, `at least 1`, `more than 0 and at most 8`; empty without bounds."""
    low, high = view.get("minimum"), view.get("maximum")
    if low is not None and high is not None:
        return f"{_number(low)} to {_number(high)}"
    found = []
    for key, words in (
        ("minimum", "at least"),
        ("exclusiveMinimum", "more than"),
        ("maximum", "at most"),
        ("exclusiveMaximum", "less than"),
    ):
        if key in view:
            found.append(f"{words} {_number(view[key])}")
    return " and ".join(found)


def _number(value: float) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _list(noun: str, view: Schema, schemas: Schemas) -> str:
    if view.get("prefixItems"):
        return _tuple(noun, [schemas.view(item) for item in view["prefixItems"]], schemas)
    items = view.get("items")
    inner = shape(items, schemas, many=True) if isinstance(items, dict) else "any values"
    low, high = view.get("minItems", 0), view.get("maxItems")
    if high is not None:
        count = f"{low} " if low == high else f"{low} to {high} "
        text = f"{noun} of {count}{inner}"
    else:
        text = f"{noun} of {inner}" + (", not empty" if low == 1 else f", at least {low}" if low else "")
    return f"{text}, all different" if view.get("uniqueItems") else text


def _tuple(noun: str, items: list[Schema], schemas: Schemas) -> str:
    """A list whose elements each mean something of their own."""
    types = {tuple(_types(item)) for item in items}
    same = len(types) == 1 and set(*types) <= {"number", "integer"}
    title = f"{noun} of {len(items)} {_TYPES[_types(items[0])[0]][1]}" if same else f"{noun} of {len(items)}"
    parts = []
    for item in items:
        words = str(item.get("description", "")).rstrip(".")
        text = bounds(item) if same else shape(item, schemas)
        parts.append(", ".join(part for part in (words[:1].lower() + words[1:], text) if part))
    return f"{title}: {'; '.join(parts)}"


def _map(noun: str, view: Schema, schemas: Schemas) -> str:
    keys = [f"`{key}`" for key in view.get("properties", {})]
    if keys:
        return f"{noun} with {', '.join(keys)}"
    values = [
        item
        for item in (*view.get("patternProperties", {}).values(), view.get("additionalProperties"))
        if isinstance(item, dict)
    ]
    return f"{noun} of {shape(values[0], schemas, many=True)} by name" if values else noun
