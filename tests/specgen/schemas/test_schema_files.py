"""The schema files themselves: valid, closed, documented, reachable, and without the network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from specgen.locate import schemas_folder
from specgen.schema_dispatch import dispatcher, kinds, main, outdated, types
from specgen.schemas import BASE, Schemas, read_schemas

SCHEMAS = read_schemas(schemas_folder())
FILES = sorted(SCHEMAS.documents)
COMPONENTS = [name for name in FILES if "/" in name]
STRUCTURES = ["quantization.schema.json"]  # classes that need no `type`, as there is no choice


def test_all_files_are_found() -> None:
    assert len(kinds(schemas_folder())) == 27
    # One dispatcher a kind, the spec and the shared values.
    assert len(FILES) == len(COMPONENTS) + len(STRUCTURES) + 27 + 2


@pytest.mark.parametrize("name", FILES)
def test_valid_draft_2020_12(name: str) -> None:
    raw = json.loads((schemas_folder() / name).read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(raw)
    assert raw["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("name", COMPONENTS)
def test_component_is_closed_and_named_for_its_file(name: str) -> None:
    schema = SCHEMAS.documents[name]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["type"]["const"] == schema["title"] == Path(name).name.split(".")[0]
    assert "type" in schema["required"]


def properties(part: Any, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property schema below `part`, conditions left out."""
    if isinstance(part, dict):
        for key, child in part.get("properties", {}).items():
            yield f"{place}.{key}", child
        for key, child in part.items():
            if key not in ("if", "then"):
                yield from properties(child, f"{place}.{key}")
    elif isinstance(part, list):
        for index, child in enumerate(part):
            yield from properties(child, f"{place}.{index}")


@pytest.mark.parametrize("name", [*COMPONENTS, *STRUCTURES, "spec.schema.json", "values.schema.json"])
def test_every_property_has_one_sentence(name: str) -> None:
    found = list(properties(SCHEMAS.documents[name], name))
    assert found
    for place, part in found:
        text = part.get("description", "")
        assert text[:1].isupper() and text.endswith(".") and "\n" not in text, place
        assert ". " not in text, f"{place}: more than one sentence"


@pytest.mark.parametrize("name", [*COMPONENTS, *STRUCTURES])
def test_numbers_have_bounds(name: str) -> None:
    # Free integers: indexes that count from both ends; those have a rule instead.
    free = {"bev_feat_index", "input_index", "indexes", "end_level"}
    for place, part in properties(SCHEMAS.documents[name], name):
        kinds_of_value = part.get("type", ())
        numeric = {"integer", "number"} & (
            {kinds_of_value} if isinstance(kinds_of_value, str) else set(kinds_of_value)
        )
        if numeric and place.rsplit(".", 1)[1] not in free:
            assert {"minimum", "exclusiveMinimum"} & set(part), place


def test_defaults_are_valid() -> None:
    registry: Registry[Any] = Registry().with_resources(
        (BASE + name, DRAFT202012.create_resource(schema)) for name, schema in SCHEMAS.documents.items()
    )
    number = 0
    for name in [*COMPONENTS, *STRUCTURES, "spec.schema.json"]:
        for place, part in properties(SCHEMAS.documents[name], name):
            if "default" in part:
                errors = Draft202012Validator(part, registry=registry).iter_errors(part["default"])
                assert not [error.message for error in errors], place
                number += 1
    assert number > 80


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        for child in part.values():
            yield from references(child)
    elif isinstance(part, list):
        for child in part:
            yield from references(child)


def test_every_file_is_reachable_and_none_is_on_a_network() -> None:
    reached, waiting = set(), ["spec.schema.json"]
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        for reference in references(SCHEMAS.documents[name]):
            assert reference.startswith(BASE)
            waiting.append(reference.removeprefix(BASE).split("#")[0])
        assert "$id" not in SCHEMAS.documents[name], "relative references are resolved from the file's place"
    assert reached == set(FILES)


def test_references_in_files_are_relative() -> None:
    for name in FILES:
        raw = json.loads((schemas_folder() / name).read_text(encoding="utf-8"))
        assert not [reference for reference in references(raw) if ":" in reference]


def test_components_inside_components_are_marked(schemas: Schemas) -> None:
    # The compiler finds components by `x-kind`: a reference to a dispatcher without one would not be built.
    def check(part: Any, marked: bool, place: str) -> None:
        if isinstance(part, dict):
            marked = "x-kind" in part or (marked and place.endswith(".then"))
            target = part.get("$ref", "").removeprefix(BASE).removesuffix(".schema.json")
            if target in schemas.kinds():
                assert marked, place
            for key, child in part.items():
                check(child, marked, f"{place}.{key}")

    for name in [*COMPONENTS, "spec.schema.json"]:
        check(schemas.documents[name], False, name)


def test_dispatchers_are_current() -> None:
    assert not outdated(schemas_folder()), "run `python -m specgen.schema_dispatch`"


def test_dispatcher_of_a_new_component(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "neck").mkdir()
    for name in ("PAN", "FPN"):
        (tmp_path / "neck" / f"{name}.schema.json").write_text("{}", encoding="utf-8")
    assert types(tmp_path, "neck") == ["FPN", "PAN"]
    assert main(["--check"], tmp_path) == 1
    assert not (tmp_path / "neck.schema.json").exists()
    assert main([], tmp_path) == 0
    assert (tmp_path / "neck.schema.json").read_text(encoding="utf-8") == dispatcher(tmp_path, "neck")
    assert main(["--check"], tmp_path) == 0
    branches = json.loads(dispatcher(tmp_path, "neck"))["allOf"]
    assert [branch["then"]["$ref"] for branch in branches] == ["neck/FPN.schema.json", "neck/PAN.schema.json"]
