"""The schema of a component from a user's module, and what it must have beside being a schema."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from specgen.did_you_mean import did_you_mean
from specgen.plugins.python_names import BadSchema, check_names, is_dotted, subschemas
from specgen.schemas import BASE, SUFFIX, Schema, Schemas, absolute

OUT_FEATURES = "x-out-features"
INPUT = "input"
_MOST = 1_000_000
_TYPE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def read_plugin_schema(text: str, kind: str, type_name: str, schemas: Schemas) -> Schema:
    """The schema in `text`, with its references made absolute as if it lay among those of specgen.

    Raises:
        BadSchema: no JSON object, no valid schema, an unknown kind, or without what a component needs.
    """
    if kind not in schemas.kinds():
        hint = did_you_mean(kind, schemas.kinds())
        raise BadSchema(f"there is no kind of component `{kind}`" + (f": {hint}" if hint else ""))
    if not _TYPE.match(type_name):
        raise BadSchema(f"`{type_name}` cannot be the name of a component")
    try:
        content = (
            json.loads(text, parse_float=_finite, parse_constant=_finite) if len(text) <= _MOST else None
        )
    except (ValueError, RecursionError) as error:
        raise BadSchema(f"is no JSON: {error}") from None
    if not isinstance(content, dict):
        raise BadSchema("is no JSON object")
    try:
        return _checked(content, kind, type_name, schemas)
    except RecursionError:
        raise BadSchema("is nested too deeply") from None


def _checked(content: dict[str, Any], kind: str, type_name: str, schemas: Schemas) -> Schema:
    _check_draft(content)
    content.pop("$schema", None)
    schema: dict[str, Any] = absolute(content, f"{kind}/{type_name}{SUFFIX}")
    _check_component(schema, type_name)
    for reference in _references(schema):
        if not _resolves(reference, schemas):
            raise BadSchema(f"refers to `{reference.removeprefix(BASE)}`, which is none of specgen's schemas")
    check_names(schema, schemas)
    _check_features(schema)
    _check_defaults(schema, schemas)
    return schema


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is not finite")
    return number


def _check_draft(content: dict[str, Any]) -> None:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    try:
        Draft202012Validator.check_schema(content)
    except SchemaError as error:
        where = ".".join(map(str, error.absolute_path)) or "the whole"
        raise BadSchema(f"is no JSON Schema: {where}: {error.message[:120]}") from None


def _check_component(schema: dict[str, Any], type_name: str) -> None:
    if not is_dotted(schema.get("x-class")):
        raise BadSchema("needs `x-class`, the dotted path of the class")
    properties = schema.get("properties")
    own = properties.get("type") if isinstance(properties, dict) else None
    if not isinstance(own, dict) or own.get("const") != type_name:
        raise BadSchema(f'needs the property `type` with `"const": "{type_name}"`')
    if "type" not in schema.get("required", []):
        raise BadSchema('needs `"required": ["type", ...]`')
    if schema.get("additionalProperties") is not False:
        raise BadSchema('needs `"additionalProperties": false`, so that misspelt keys are found')


def _check_features(schema: dict[str, Any]) -> None:
    """`x-out-features` is a list of channels and strides: numbers, names of properties, or `input`."""
    maps = schema.get(OUT_FEATURES, [])
    known = {INPUT, *schema["properties"]}
    if not isinstance(maps, list):
        raise BadSchema(f"`{OUT_FEATURES}` is a list of maps")
    for item in maps:
        if not isinstance(item, dict) or set(item) != {"channels", "stride"}:
            raise BadSchema(f"`{OUT_FEATURES}` has `channels` and `stride` for each map")
        for key, value in item.items():
            whole = type(value) is int and value > 0
            if not whole and not (isinstance(value, str) and value in known):
                raise BadSchema(f"`{key}` in `{OUT_FEATURES}` is neither a number from 1 nor a property")


def _check_defaults(schema: dict[str, Any], schemas: Schemas) -> None:
    """Each default is a value that its own schema lets through: nobody checks it where it is filled in."""
    from specgen.validate import misfit_text  # which needs the inference, and that this module

    for where, part in subschemas(schema, ""):
        wrong = misfit_text(part["default"], part, schemas) if "default" in part else None
        if wrong is not None:
            raise BadSchema(f"{where}: the default does not fit: {wrong}")


def _resolves(reference: str, schemas: Schemas) -> bool:
    """Whether it names one of specgen's schema files, or a definition of one."""
    name, _, pointer = reference.removeprefix(BASE).partition("#")
    document = schemas.documents.get(name) if reference.startswith(BASE) else None
    if document is None or not pointer:
        return document is not None
    start, _, definition = pointer.rpartition("/")
    return start == "/$defs" and definition in document.get("$defs", {})


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)
