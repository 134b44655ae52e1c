"""The second step: does the spec have the shape that the schemas say? All mistakes at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from specgen.diagnostic import Diagnostic
from specgen.did_you_mean import close_to
from specgen.document import Node, Path
from specgen.schema_messages import Misfit, keys_diagnostics, value_diagnostic
from specgen.schemas import BASE, TOP, Schema, Schemas, child_schema
from specgen.shape_hints import home_of_key, kind_of_type, way_to_write


def _whole_number(_: object, instance: object) -> bool:
    # JSON Schema calls 2.0 an integer; in the generated Python it would not be one.
    return isinstance(instance, int) and not isinstance(instance, bool)


def _pattern(validator: Any, pattern: str, instance: object, _: object) -> Iterator[ValidationError]:
    # In JSON Schema `$` is the end of the text; Python's also stands before a line break there.
    ends = pattern.endswith("$") and not pattern.endswith("\\$")
    if isinstance(instance, str) and not re.search(pattern[:-1] + r"\Z" if ends else pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _all_of(validator: Any, parts: Any, instance: Any, _: object) -> Iterator[ValidationError]:
    # Most lists of parts are a kind's types, of which one can be the instance's: the others need no look.
    own = instance.get("type") if isinstance(instance, dict) else None
    for index, part in enumerate(parts):
        condition = part.get("if", {}).get("properties", {}).get("type", {})
        if own is None or condition.get("const", own) == own:
            yield from validator.descend(instance, part, schema_path=index)


_Validator: Any = extend(
    Draft202012Validator,
    validators={"pattern": _pattern, "allOf": _all_of},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _whole_number),
)


def validate(root: Node, schemas: Schemas) -> list[Diagnostic]:
    """What is wrong with the shape of the spec, in file order; nothing when it is right."""
    key_errors: dict[Path, list[Misfit]] = {}
    value_errors: dict[Path, list[Misfit]] = {}
    for error in _leaves(_validator(schemas).iter_errors(root.plain())):
        path: Path = tuple(error.absolute_path)
        schema = error.schema if isinstance(error.schema, dict) else {}
        keyword = str(error.validator) if error.validator else None
        unit = _unit(root, path, schemas)
        misfit = Misfit(path, root.at(*path), keyword, error.validator_value, error.instance, schema, unit)
        (key_errors if misfit.about_keys else value_errors).setdefault(path, []).append(misfit)
    found: set[Diagnostic] = set()
    for misfits in value_errors.values():
        # What else is wrong with a value of the wrong type says nothing more.
        of_type = [misfit for misfit in misfits if misfit.keyword == "type"]
        found.update(_hinted(misfit, root, schemas) for misfit in of_type or misfits)
    for path, misfits in key_errors.items():
        if not path and (slip := _misspelt_extends(root)) is not None:
            # All that is missing would be in the other spec.
            return [slip]
        found.update(keys_diagnostics(misfits, partial(home_of_key, root, schemas, path)))
    return sorted(found, key=lambda diagnostic: diagnostic.sort_key)


def misfit_text(value: object, schema: Schema, schemas: Schemas) -> str | None:
    """Why a value does not fit a schema, in the words of JSON Schema; None when it does."""
    error = next(_leaves(_validator(schemas).evolve(schema=dict(schema)).iter_errors(value)), None)
    return str(error.message)[:120] if error is not None else None


def _misspelt_extends(root: Node) -> Diagnostic | None:
    for key, node in root.items():
        if key != "extends" and close_to(key, ["extends"]) and isinstance(node.value, str):
            place = node.key_span or node.span
            return Diagnostic("E102", f"the spec has no key `{key}`", place, hint="did you mean `extends`?")
    return None


@lru_cache(maxsize=4)
def _validator(schemas: Schemas) -> Any:
    resources = [(BASE + name, DRAFT202012.create_resource(doc)) for name, doc in schemas.documents.items()]
    return _Validator({"$ref": BASE + TOP}, registry=Registry().with_resources(resources))


def _hinted(misfit: Misfit, root: Node, schemas: Schemas) -> Diagnostic:
    """The diagnostic for one value, with a hint from the schemas around it where it has none of its own."""
    diagnostic = value_diagnostic(misfit)
    if diagnostic.hint is not None:
        return diagnostic
    hint = None
    if misfit.keyword in ("type", "anyOf"):
        hint = way_to_write(root, schemas, misfit.path, misfit.types, misfit.instance)
    elif misfit.keyword == "enum":
        hint = kind_of_type(root, schemas, misfit.path, misfit.instance)
    return replace(diagnostic, hint=hint)


def _unit(root: Node, path: Path, schemas: Schemas) -> str | None:
    """The unit of a value: its own, or its share of that of the list that it is an element of."""
    node, schema, unit = root, schemas.top, None
    for step in path:
        view = schemas.view(schema, node)
        schema, node = child_schema(view, step), node.at(step)
        outer = view.get("x-unit") if isinstance(step, int) else None
        parts = outer.split(", ") if outer else []
        unit = outer if len(parts) < 2 else parts[int(step)] if int(step) < len(parts) else None
    own = schemas.view(schema, node).get("x-unit") if path else None
    return own or unit


def _leaves(errors: Iterator[ValidationError]) -> Iterator[ValidationError]:
    """The errors that say something; `anyOf` is taken as one, as no branch is the one that was meant."""
    for error in errors:
        if error.validator in ("allOf", "$ref", "if") and error.context:
            yield from _leaves(iter(error.context))
        else:
            yield error
