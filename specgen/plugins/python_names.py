"""The names that the schema of a plugin's component puts into generated Python, and that they are names.

Of a call these are the class, what it returns and the keyword arguments; the values are always literals.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from typing import Any

from specgen.schemas import BASE, SUFFIX, Schemas

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_MAPS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_LISTS = ("prefixItems", "allOf", "anyOf", "oneOf")
_SINGLE = ("items", "additionalProperties", "contains", "propertyNames", "not", "if", "then", "else")
_UNEVALUATED = ("unevaluatedItems", "unevaluatedProperties")
_TEXTS = ("x-derived", "x-unit")
_REFUSED = ("$dynamicRef", "$dynamicAnchor", "$anchor")
_WHOLE_KEYS = "^[1-9][0-9]*$"
_SECTIONS = ("model", "march", "quantization", "data_loader")
_LOADERS = ("data_loader", "val_data_loader")


class BadSchema(Exception):
    """A schema that cannot be one of a component; the text says why."""


def is_name(text: object) -> bool:
    """Whether it can be the name of a function, argument or module."""
    return (
        isinstance(text, str)
        and _NAME.match(text) is not None
        and not keyword.iskeyword(text)
        and text != "__debug__"  # no keyword, and no argument's name either
    )


def is_dotted(text: object) -> bool:
    """Whether it is names with dots between them, at least two."""
    return isinstance(text, str) and "." in text and all(map(is_name, text.split(".")))


def check_names(schema: dict[str, Any], schemas: Schemas) -> None:
    """That the schema of a component, whose own `x-class` is right, gives the compiler names and no code.

    Raises:
        BadSchema: some part of it does not.
    """
    module = schema["x-class"].rpartition(".")[0]
    for where, part in subschemas(schema, ""):
        try:
            _check_part(part, where.rpartition(".")[2], module, schemas)
        except BadSchema as error:
            raise BadSchema(f"{where}: {error}" if where else str(error)) from None


def subschemas(schema: dict[str, Any], where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(dotted path, schema) of a schema and of all inside it.

    Raises:
        BadSchema: something that is to be a schema is none, `true` or `false` where these say nothing.
    """
    yield where, schema
    for key in (*_MAPS, *_LISTS, *_SINGLE, *_UNEVALUATED):
        if key not in schema:
            continue
        value = schema[key]
        inner = value.items() if key in _MAPS else enumerate(value) if key in _LISTS else [("", value)]
        for step, part in inner:
            place = ".".join(str(text) for text in (where, key, step) if text != "")
            if isinstance(part, dict):
                yield from subschemas(part, place)
            elif key in (*_MAPS, *_LISTS, "if"):
                raise BadSchema(f"{place}: is `{str(part).lower()}`, and has to be an object")


def _check_part(part: dict[str, Any], own_name: str, module: str, schemas: Schemas) -> None:
    for key in _REFUSED:
        if key in part:
            raise BadSchema(f"`{key}` is not supported")
    for key in _TEXTS:
        if key in part and not isinstance(part[key], str):
            raise BadSchema(f"`{key}` is a text")
    if part.get("enum") == []:
        raise BadSchema("`enum` has no value")
    _check_classes(part, module)
    if "x-class" in part:
        _check_call(part)
    if "x-kind" in part:
        _check_kind(part, schemas)
    if "x-ref" in part:
        _check_section(part["x-ref"], own_name)
    if part.get("x-int-keys") and not (
        set(part.get("patternProperties", {})) == {_WHOLE_KEYS}
        and part.get("additionalProperties") is False
        and not part.get("properties")
    ):
        raise BadSchema(
            f'`x-int-keys` needs `patternProperties` of `{_WHOLE_KEYS}` alone and `"additionalProperties": '
            "false`"
        )


def _check_classes(part: dict[str, Any], module: str) -> None:
    """`x-class` and `x-returns` are dotted names, of the plugin or of what comes with specgen."""
    for key in ("x-class", "x-returns"):
        if key not in part:
            continue
        name = part[key]
        if not is_dotted(name):
            raise BadSchema(f"`{key}` is {_shown(name)}, which is not the dotted path of a class")
        inside = name.rpartition(".")[0] == module
        if not inside and not (key == "x-returns" and name.startswith("runtime.")):
            elsewhere = " nor in `runtime`" if key == "x-returns" else ""
            raise BadSchema(f"`{key}` is `{name}`, which is not in `{module}`{elsewhere}")


def _check_call(part: dict[str, Any]) -> None:
    """The keys of what is written as a call are its properties, and these are names of arguments."""
    for name in part.get("properties", {}):
        if not is_name(name):
            raise BadSchema(f"the property {_shown(name)} cannot be the name of an argument in Python")
    if part.get("additionalProperties") is not False:
        raise BadSchema('`x-class` needs `"additionalProperties": false` beside it')
    for key in ("patternProperties", "x-kind", "$ref"):
        if part.get(key):
            raise BadSchema(f"`{key}` cannot stand beside `x-class`")


def _check_kind(part: dict[str, Any], schemas: Schemas) -> None:
    """A component is checked by its kind's schema, which lets only its own properties through."""
    kind = part["x-kind"]
    if kind not in schemas.kinds():
        raise BadSchema(f"`x-kind` is {_shown(kind)}, and there is no such kind of component")
    if part.get("$ref") != f"{BASE}{kind}{SUFFIX}":
        raise BadSchema(f'`x-kind` needs `"$ref": "../{kind}{SUFFIX}"` beside it')


def _check_section(section: object, own_name: str) -> None:
    if section not in _SECTIONS:
        raise BadSchema(f"`x-ref` is {_shown(section)}, expected one of {', '.join(_SECTIONS)}")
    if section == "data_loader" and own_name not in _LOADERS:
        raise BadSchema(f"a property with `x-ref` to a `data_loader` is named {' or '.join(_LOADERS)}")


def _shown(value: object) -> str:
    """A value on one line, in backquotes."""
    text = "".join(c if c.isprintable() else "?" for c in str(value))
    return f"`{text[:80]}`"
