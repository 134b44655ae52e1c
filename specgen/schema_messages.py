"""What each schema keyword says to a user whose value does not fit: both the value and what was expected."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from specgen.angles import RADIANS, in_other_unit
from specgen.diagnostic import Diagnostic, Span
from specgen.did_you_mean import close_to, did_you_mean
from specgen.document import Node, Path, dotted
from specgen.schemas import Schema

_TYPES = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "`true` or `false`",
    "array": "a list",
    "object": "a map",
    "null": "`null`",
}
_PATTERNS = {
    "^[a-z][a-z0-9_]*$": "lower-case letters, digits and `_`, starting with a letter",
    "^[A-Za-z_][A-Za-z0-9_]*$": "letters, digits and `_`, not starting with a digit",
    "^[1-9][0-9]*$": "a whole number from 1",
    r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$": "the dotted name of a module",
}
_SHOWN = 60
_MOST_KEYS = 50
"""Unknown keys of one map that are told of at once."""


@dataclass(frozen=True)
class Misfit:
    """A value (`instance`, at `path`) that a schema's `keyword` refuses.

    `limit` is the keyword's value, `unit` the property's.
    """

    path: Path
    node: Node
    keyword: str | None
    limit: Any
    instance: Any
    schema: Schema
    unit: str | None = None

    @property
    def about_keys(self) -> bool:
        """Whether the mistake is in which keys a map has, so that one is judged beside the others."""
        return self.keyword in ("additionalProperties", "required")

    @property
    def types(self) -> list[str]:
        """The JSON types that the value may have, when it is its type that is wrong."""
        if self.keyword == "anyOf":
            return [name for option in self.limit for name in _as_list(option.get("type"))]
        return _as_list(self.limit)

    @property
    def subject(self) -> str:
        return f"`{dotted(self.path)}`" if self.path else "the spec"


def shown(value: Any) -> str:
    """A value as a user would write it, cut when long."""
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif value is None:
        text = "null"
    elif isinstance(value, str):
        text = '"' + "".join(c if c.isprintable() else "?" for c in value) + '"'
    elif isinstance(value, dict):
        text = "{" + ", ".join(f"{key}: {shown(item)}" for key, item in value.items()) + "}"
    elif isinstance(value, list):
        text = "[" + ", ".join(shown(item) for item in value) + "]"
    else:
        text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def _listed(words: list[str], last: str = "or") -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


# -- keys ----------------------------------------------------------------------------------------------------


def keys_diagnostics(misfits: list[Misfit], home_of: Callable[[str], str | None]) -> list[Diagnostic]:
    """Unknown and missing keys of one map; a missing key that a typo explains is not reported as well.

    `home_of` gives the hint about an unknown key that is known elsewhere.
    """
    first = misfits[0]
    node = first.node
    title = f"{first.subject} (`{node.type}`)" if node.type is not None else first.subject
    missing = _missing(misfits)
    result = []
    for number, (key, schema) in enumerate(_unknown(misfits).items()):
        if number >= _MOST_KEYS:
            break
        properties = schema.get("properties", {})
        place = node.at(key).key_span or node.at(key).span
        meant = close_to(key, [name for name in properties if not _stands_beside(node.get(name), place)])
        hint = f"did you mean `{meant}`?" if meant else None
        if hint is None and not properties:
            patterns = [_PATTERNS.get(p, f"`{p}`") for p in schema.get("patternProperties", {})]
            hint = f"its keys are {_listed(patterns)}" if patterns else None
        hint = hint or home_of(key)
        result.append(Diagnostic("E102", f"{title} has no key `{key}`", place, hint=hint))
        missing.pop(meant or "", None)
    if missing:
        result.append(_missing_keys(missing, title, node))
    return result


def _stands_beside(node: Node | None, place: Span) -> bool:
    """Whether a key is written in the same file: then another one was not meant as that."""
    return node is not None and (node.key_span or node.span).file == place.file


def _missing_keys(missing: dict[str, Schema], title: str, node: Node) -> Diagnostic:
    if len(missing) > 1:
        names = _listed([f"`{key}`" for key in missing], "and")
        return Diagnostic("E103", f"{title} needs the keys {names}", _name_place(node))
    ((key, schema),) = missing.items()
    description = schema.get("properties", {}).get(key, {}).get("description", "").rstrip(".")
    hint = f"`{key}`: {description}" if description else None
    if key == "type" and (types := schema.get("properties", {}).get("type", {}).get("enum")):
        hint = f"`type` is one of {_listed([f'`{name}`' for name in types])}"
    return Diagnostic("E103", f"{title} needs the key `{key}`", _name_place(node), hint=hint)


def _unknown(misfits: list[Misfit]) -> dict[str, Schema]:
    found: dict[str, Schema] = {}
    for misfit in misfits:
        if misfit.keyword == "additionalProperties":
            patterns = misfit.schema.get("patternProperties", {})
            for key in misfit.instance:
                known = key in misfit.schema.get("properties", {}) or any(re.search(p, key) for p in patterns)
                if not known:
                    found[key] = misfit.schema
    return found


def _missing(misfits: list[Misfit]) -> dict[str, Schema]:
    found: dict[str, Schema] = {}
    for misfit in misfits:
        if misfit.keyword == "required":
            for key in misfit.limit:
                if key not in misfit.instance:
                    found.setdefault(key, misfit.schema)
    return found


def _name_place(node: Node) -> Span:
    """Where a component is named: its type, else its key."""
    named = node.get("type")
    return named.span if named is not None else node.key_span or node.span


# -- values --------------------------------------------------------------------------------------------------


def value_diagnostic(misfit: Misfit) -> Diagnostic:
    """The diagnostic for one value."""
    if misfit.node.is_map and isinstance(misfit.instance, str):
        return _key_name(misfit)
    code, say = _SAYINGS.get(misfit.keyword or "", ("E199", _not_allowed))
    wanted, hint = say(misfit)
    counted = misfit.keyword in _COUNTING
    value = f"has {_counted(misfit.instance)}" if counted else f"is {shown(misfit.instance)}"
    in_unit = f" ({misfit.unit})" if misfit.unit and code == "E106" else ""
    return Diagnostic(code, f"{misfit.subject} {value}, {wanted}{in_unit}", misfit.node.span, hint=hint)


def _key_name(misfit: Misfit) -> Diagnostic:
    child = misfit.node.at(misfit.instance)
    wanted = _PATTERNS.get(misfit.limit, f"text that fits the pattern `{misfit.limit}`")
    message = f"the key `{misfit.instance}` of {misfit.subject} is not a name here: expected {wanted}"
    return Diagnostic("E104", message, child.key_span or child.span)


def _counted(instance: Any) -> str:
    noun = "entr" if isinstance(instance, dict) else "element"
    plural, single = ("ies", "y") if isinstance(instance, dict) else ("s", "")
    return f"{len(instance)} {noun}{single if len(instance) == 1 else plural}"


def _choice(misfit: Misfit) -> tuple[str, str | None]:
    options = misfit.limit if misfit.keyword == "enum" else [misfit.limit]
    texts = [o for o in options if isinstance(o, str)]
    names = [f"`{o}`" if isinstance(o, str) else shown(o) for o in options]
    text = f"expected {'one of ' if len(names) > 1 else ''}{_listed(names)}"
    return text, did_you_mean(misfit.instance, texts) if isinstance(misfit.instance, str) else None


def _kind_of_value(misfit: Misfit) -> tuple[str, str | None]:
    names = list(dict.fromkeys(_TYPES.get(name, name) for name in misfit.types))
    return (f"expected {_listed(names)}" if names else "which is not allowed here"), None


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _pattern(misfit: Misfit) -> tuple[str, str | None]:
    if misfit.limit in _PATTERNS:
        return f"expected {_PATTERNS[misfit.limit]}", None
    return f"expected text that fits the pattern `{misfit.limit}`", _description(misfit)


def _description(misfit: Misfit) -> str | None:
    text = misfit.schema.get("description", "").rstrip(".")
    return f"`{misfit.path[-1]}`: {text}" if text and misfit.path else None


def _repeated(misfit: Misfit) -> tuple[str, str | None]:
    twice = next((v for i, v in enumerate(misfit.instance) if v in misfit.instance[:i]), None)
    return f"which has {shown(twice)} twice", None


def _length(misfit: Misfit) -> tuple[str, str | None]:
    first = misfit.schema.get("prefixItems")
    low, high = misfit.schema.get("minItems"), misfit.schema.get("maxItems")
    if first is not None:
        return f"expected {len(first)}", None
    if low is not None and low == high:
        return f"expected {low}", None
    at_least = misfit.keyword in ("minItems", "minProperties")
    return f"expected at {'least' if at_least else 'most'} {misfit.limit}", None


def _not_allowed(misfit: Misfit) -> tuple[str, str | None]:
    return "which is not allowed here", _description(misfit)


def _limit(words: str) -> Callable[[Misfit], tuple[str, str | None]]:
    return lambda misfit: (f"expected {words} {_limit_text(misfit)}", _meant_in(misfit))


def _limit_text(misfit: Misfit) -> str:
    """The limit; a half turn in radians is not spelt out."""
    half_turns = abs(misfit.limit) == math.pi
    return ("-pi" if misfit.limit < 0 else "pi") if half_turns else shown(misfit.limit)


def _meant_in(misfit: Misfit) -> str | None:
    """The hint about a number that looks like one in another unit: degrees, per cent."""
    if misfit.unit == RADIANS and math.pi < abs(misfit.instance) <= 180:
        return in_other_unit(misfit.instance, RADIANS)
    most = misfit.schema.get("maximum", misfit.schema.get("exclusiveMaximum"))
    if most == 1 and 1 < misfit.instance <= 100 and misfit.unit is None:
        return f"a share of {misfit.instance:g} % is {misfit.instance / 100:g}"
    return None


_COUNTING = ("minItems", "maxItems", "items", "minProperties", "maxProperties")
_SAYINGS: dict[str, tuple[str, Callable[[Misfit], tuple[str, str | None]]]] = {
    "type": ("E101", _kind_of_value),
    "anyOf": ("E101", _kind_of_value),
    "enum": ("E105", _choice),
    "const": ("E105", _choice),
    "minimum": ("E106", _limit("at least")),
    "maximum": ("E106", _limit("at most")),
    "exclusiveMinimum": ("E106", _limit("more than")),
    "exclusiveMaximum": ("E106", _limit("less than")),
    "multipleOf": ("E106", _limit("a multiple of")),
    "pattern": ("E104", _pattern),
    "minLength": ("E104", lambda _: ("expected some text", None)),
    "maxLength": ("E104", lambda m: (f"expected at most {m.limit} characters", None)),
    "minItems": ("E107", _length),
    "maxItems": ("E107", _length),
    "items": ("E107", _length),
    "minProperties": ("E107", _length),
    "maxProperties": ("E107", _length),
    "uniqueItems": ("E107", _repeated),
}
