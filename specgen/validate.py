"""The second step: does the spec have the shape that the schemas say? All mistakes at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from specgen.diagnostic import Diagnostic
from specgen.document import Node, Path
from specgen.schema_messages import Misfit, keys_diagnostics, value_diagnostic
from specgen.schemas import BASE, TOP, Schemas


def _whole_number(_: object, instance: object) -> bool:
    # JSON Schema calls 2.0 an integer; in the generated Python it would not be one.
    return isinstance(instance, int) and not isinstance(instance, bool)


_Validator: Any = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _whole_number),
)


def validate(root: Node, schemas: Schemas) -> list[Diagnostic]:
    """What is wrong with the shape of the spec, in file order; nothing when it is right."""
    resources = [(BASE + name, DRAFT202012.create_resource(doc)) for name, doc in schemas.documents.items()]
    validator = _Validator({"$ref": BASE + TOP}, registry=Registry().with_resources(resources))
    key_errors: dict[Path, list[Misfit]] = {}
    value_errors: dict[Path, list[Misfit]] = {}
    for error in _leaves(validator.iter_errors(root.plain())):
        path: Path = tuple(error.absolute_path)
        schema = error.schema if isinstance(error.schema, dict) else {}
        keyword = str(error.validator) if error.validator else None
        misfit = Misfit(path, root.at(*path), keyword, error.validator_value, error.instance, schema)
        (key_errors if misfit.about_keys else value_errors).setdefault(path, []).append(misfit)
    found: set[Diagnostic] = set()
    for misfits in value_errors.values():
        # What else is wrong with a value of the wrong type says nothing more.
        of_type = [misfit for misfit in misfits if misfit.keyword == "type"]
        found.update(map(value_diagnostic, of_type or misfits))
    for misfits in key_errors.values():
        found.update(keys_diagnostics(misfits))
    return sorted(found, key=lambda diagnostic: diagnostic.sort_key)


def _leaves(errors: Iterator[ValidationError]) -> Iterator[ValidationError]:
    """The errors that say something; `anyOf` is taken as one, as no branch is the one that was meant."""
    for error in errors:
        if error.validator in ("allOf", "$ref", "if") and error.context:
            yield from _leaves(iter(error.context))
        else:
            yield error
