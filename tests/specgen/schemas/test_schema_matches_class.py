"""Every schema says what its class takes, and every argument of a class is in its schema."""

from __future__ import annotations

import importlib
import inspect
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from specgen.locate import schemas_folder
from specgen.schemas import read_schemas

SCHEMAS = read_schemas(schemas_folder())
COMPONENTS = [f"{kind}/{name}" for kind in SCHEMAS.kinds() for name in SCHEMAS.types(kind)]
# Parts of the section `quantization`: their keys say what they are, so that they need no `type`.
STRUCTURES = ["quantization", "quantization#/$defs/rule", "quantization#/$defs/adaround"]
BUILT = [*COMPONENTS, *STRUCTURES]
JSON_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}


def test_all_components_are_found() -> None:
    assert len(COMPONENTS) == 55
    assert all("x-class" in schema_of(name) for name in BUILT)


def schema_of(component: str) -> dict[str, Any]:
    if component in STRUCTURES:
        name, _, definition = component.partition("#/$defs/")
        document = SCHEMAS.documents[f"{name}.schema.json"]
        return dict(document["$defs"][definition] if definition else document)
    return dict(SCHEMAS.component(*component.split("/")) or {})


def properties_of(component: str) -> dict[str, dict[str, Any]]:
    """Properties but `type`, with their `$ref`s put in."""
    found = {key: dict(SCHEMAS.view(part)) for key, part in schema_of(component)["properties"].items()}
    return {key: part for key, part in found.items() if key != "type"}


def class_of(component: str) -> Any:
    module, _, name = schema_of(component)["x-class"].rpartition(".")
    return getattr(importlib.import_module(module), name)


def parameters_of(component: str) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(class_of(component)).parameters


def plain(value: Any) -> Any:
    """A default of a signature as JSON would hold it."""
    return [plain(item) for item in value] if isinstance(value, (tuple, list)) else value


@pytest.mark.parametrize("component", BUILT)
def test_properties_are_the_parameters(component: str) -> None:
    parameters = parameters_of(component)
    assert set(properties_of(component)) == set(parameters)
    assert {p.kind for p in parameters.values()} <= {inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize("component", BUILT)
def test_defaults_are_equal(component: str) -> None:
    required = set(schema_of(component).get("required", ()))
    for key, part in properties_of(component).items():
        default = parameters_of(component)[key].default
        if "x-derived" in part:
            # The compiler always writes these: whether the class has a default too is its own affair.
            assert "default" not in part and key not in required, key
        elif "default" in part:
            assert key not in required
            assert plain(default) == part["default"], key
            assert isinstance(default, bool) == isinstance(part["default"], bool), key
        else:
            assert key in required, f"{key} has no default, so that it is required"
            assert default is inspect.Parameter.empty, key


@pytest.mark.parametrize("component", BUILT)
def test_choices_are_equal(component: str) -> None:
    hints = hints_of(component)
    for key, part in properties_of(component).items():
        assert set(enum_values(part)) == set(literal_values(hints[key])), key


@pytest.mark.parametrize("component", BUILT)
def test_types_are_equal(component: str) -> None:
    for key, part in properties_of(component).items():
        if "x-kind" in part or "x-ref" in part or "type" not in part:
            continue
        allowed = {part["type"]} if isinstance(part["type"], str) else set(part["type"])
        members = union_members(hints_of(component)[key])
        assert ("null" in allowed) == (types.NoneType in members), f"{key} and None"
        for python_type, json_type in JSON_TYPES.items():
            if python_type in members:
                assert json_type in allowed, f"{key} takes {python_type.__name__}"
            elif json_type in allowed and not (json_type == "string" and enum_values(part)):
                # Where a float is taken, an integer is no other type.
                raise AssertionError(f"{key} does not take {python_type.__name__}: {members}")


def hints_of(component: str) -> dict[str, Any]:
    target = class_of(component)
    return typing.get_type_hints(target.__init__ if inspect.isclass(target) else target)


def union_members(hint: Any) -> set[Any]:
    """The members of a union, also of one behind an alias."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return {member for part in typing.get_args(hint) for member in union_members(part)}
    return {hint}


def literal_values(hint: Any) -> Iterator[Any]:
    """All values of the `Literal`s inside a hint."""
    if typing.get_origin(hint) is typing.Literal:
        yield from typing.get_args(hint)
    else:
        for part in typing.get_args(hint):
            yield from literal_values(part)


def enum_values(part: Mapping[str, Any]) -> Iterator[Any]:
    """All choices of a property, of its own or of its elements; null is no choice but the lack of one."""
    yield from (value for value in part.get("enum", ()) if value is not None)
    if isinstance(part.get("items"), Mapping) and "x-kind" not in part["items"]:
        yield from enum_values(part["items"])
