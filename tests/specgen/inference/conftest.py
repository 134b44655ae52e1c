"""Building real modules from components of a spec."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest

from specgen.locate import schemas_folder
from specgen.schemas import Schema, Schemas, child_schema, read_schemas

Build = Callable[[str, dict[str, Any]], Any]


@pytest.fixture(scope="session")
def schemas() -> Schemas:
    return read_schemas(schemas_folder())


@pytest.fixture(scope="session")
def build(schemas: Schemas) -> Build:
    """`build(kind, config)`: the object that a component describes, those inside it first."""

    def value(part: Schema, item: Any) -> Any:
        if "x-kind" in part and isinstance(item, dict):
            return build_(part["x-kind"], item)
        view = schemas.view(part)
        if part.get("x-ref") == "quantization":
            # The section that the compiler fills in where a spec has none.
            return made(schemas.view(child_schema(schemas.top, "quantization")), {})
        if "x-class" in view and isinstance(item, dict):
            return made(view, item)
        if isinstance(item, list):
            return [value(view.get("items") or {}, element) for element in item]
        if part.get("x-int-keys"):
            return {int(key): element for key, element in item.items()}
        return item

    def build_(kind: str, config: dict[str, Any]) -> Any:
        schema = schemas.component(kind, config["type"])
        assert schema is not None
        return made(schema, config)

    def made(schema: Schema, config: dict[str, Any]) -> Any:
        module, _, name = schema["x-class"].rpartition(".")
        arguments = {
            key: value(schema["properties"][key], item) for key, item in config.items() if key != "type"
        }
        return getattr(importlib.import_module(module), name)(**arguments)

    return build_
