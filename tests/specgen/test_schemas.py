"""Reading schemas, and the walk through them beside a spec."""

import json
from pathlib import Path

import pytest

from specgen.document import Node
from specgen.fill import arranged, filled, missing_derived
from specgen.schemas import Schemas, child_schema, read_schemas
from specgen.validate import validate
from specgen.yaml_text import parse_yaml

SCHEMAS: dict[str, object] = {
    "spec": {
        "type": "object",
        "properties": {
            "first": {"type": "integer", "default": 3},
            "part": {"x-kind": "part", "$ref": "part.schema.json"},
            "parts": {
                "type": "array",
                "items": {"x-kind": "part", "$ref": "part.schema.json"},
                "default": [{"type": "small"}],
            },
            "size": {"$ref": "values.schema.json#/$defs/size", "description": "own"},
            "by_stride": {
                "type": "object",
                "patternProperties": {"^[0-9]+$": {"type": "integer"}},
                "additionalProperties": False,
            },
            "named": {
                "type": "object",
                "additionalProperties": {"x-kind": "part", "$ref": "part.schema.json"},
            },
            "either": {"anyOf": [{"type": "number"}, {"type": "null"}]},
        },
        "required": ["part"],
        "additionalProperties": False,
    },
    "part": {
        "type": "object",
        "properties": {"type": {"enum": ["large", "small"]}},
        "required": ["type"],
        "allOf": [
            {
                "if": {"properties": {"type": {"const": t}}, "required": ["type"]},
                "then": {"$ref": f"part/{t}.schema.json"},
            }
            for t in ("large", "small")
        ],
    },
    "part/small": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "x-class": "parts.Small",
        "properties": {
            "type": {"const": "small"},
            "width": {"type": "integer", "default": 1},
            "length": {"type": "integer", "x-derived": "The width."},
            "size": {"$ref": "../values.schema.json#/$defs/size", "default": [1, 2]},
        },
        "additionalProperties": False,
    },
    "part/large": {
        "type": "object",
        "properties": {
            "type": {"const": "large"},
            "inner": {"x-kind": "part", "$ref": "../part.schema.json"},
        },
        "required": ["type", "inner"],
        "additionalProperties": False,
    },
    "values": {
        "$defs": {
            "size": {"type": "array", "items": {"$ref": "#/$defs/side"}, "minItems": 2, "maxItems": 2},
            "side": {"type": "number", "minimum": 0},
        }
    },
}


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Schemas:
    folder = tmp_path_factory.mktemp("schemas")
    for name, content in SCHEMAS.items():
        path = folder / f"{name}.schema.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))
    return read_schemas(folder)


def node(text: str) -> Node:
    return parse_yaml(text, "f")


def test_kinds_types_and_components(schemas: Schemas) -> None:
    assert (schemas.kinds(), schemas.types("part")) == (["part"], ["large", "small"])
    assert schemas.component("part", "small") is not None
    assert schemas.component("part", "../values") is None


def test_references_are_followed_from_any_file(schemas: Schemas) -> None:
    size = schemas.view(child_schema(schemas.top, "size"))
    assert (size["minItems"], size["description"]) == (2, "own")
    small = schemas.component("part", "small")
    assert small is not None
    side = schemas.view(child_schema(schemas.view(child_schema(small, "size")), 0))
    assert side["minimum"] == 0


def test_defaults_go_into_components_wherever_they_are(schemas: Schemas) -> None:
    found = filled(
        node("part: {type: large, inner: {type: small, width: 5}}\nnamed: {a: {type: small}}"), schemas
    )
    small = {"type": "small", "width": 1, "size": [1, 2]}
    assert found.plain() == {
        "part": {"type": "large", "inner": {**small, "width": 5}},
        "named": {"a": small},
        "first": 3,
        "parts": [small],
    }
    kinds = {path: n.origin.kind for path, n in found.walk()}
    assert kinds["part", "inner", "width"] == "written"
    assert kinds["part", "inner", "size"] == kinds["parts", 0, "width"] == "default"
    assert found.at("part", "inner", "size").span == found.at("part", "inner", "type").span


def test_order_is_that_of_the_schema(schemas: Schemas) -> None:
    found = arranged(
        node(
            "named: {z: {type: small}, a: {width: 2, type: small}}\npart: {width: 1, type: small}\nfirst: 1"
        ),
        schemas,
    )
    assert list(found.plain()) == ["first", "part", "named"]
    assert list(found.plain_at("named")) == ["z", "a"]
    assert list(found.plain_at("named", "a")) == ["type", "width"]


def test_what_inference_left_out(schemas: Schemas) -> None:
    found = missing_derived(
        node("part: {type: small}\nparts: [{type: small, length: 1}, {type: small}]"), schemas
    )
    assert [path for path, _, _ in found] == [("part", "length"), ("parts", 1, "length")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("part: {type: small}", []),
        ("part: {type: small, width: 2.0}", ["E101 `part.width` is 2.0, expected a whole number"]),
        ("part: {type: small, width: true}", ["E101 `part.width` is true, expected a whole number"]),
        ("part: {type: small}\neither: text", ['E101 `either` is "text", expected a number or `null`']),
        ("part: [1]", ["E101 `part` is [1], expected a map"]),
        ("part: {}", ["E103 `part` needs the key `type`"]),
        ("part: {type: large}", ["E103 `part` (`large`) needs the key `inner`"]),
        ("part: {type: large, iner: {type: small}}", ["E102 `part` (`large`) has no key `iner`"]),
        ("part: {type: small}\nby_stride: {2: 1, x: 1}", ["E102 `by_stride` has no key `x`"]),
        (
            "part: {type: small, size: [1, -1]}\nsize: [1]",
            ["E106 `part.size.1` is -1, expected at least 0", "E107 `size` has 1 element, expected 2"],
        ),
        (
            "part: {type: large, inner: {type: large, inner: {type: huge}}}\nfist: 1",
            [
                'E105 `part.inner.inner.type` is "huge", expected one of `large` or `small`',
                "E102 the spec has no key `fist`",
            ],
        ),
    ],
)
def test_messages(schemas: Schemas, text: str, expected: list[str]) -> None:
    assert [f"{d.code} {d.message}" for d in validate(node(text), schemas)] == expected


def test_a_typo_explains_the_missing_key(schemas: Schemas) -> None:
    (found,) = validate(node("part: {type: large, iner: {type: small}}"), schemas)
    assert found.hint == "did you mean `inner`?"


def test_nothing_is_guessed_that_is_already_there(schemas: Schemas) -> None:
    (found,) = validate(node("part: {type: small, width: 1, widht: 2}"), schemas)
    assert found.hint is None


def test_every_property_of_the_real_schemas_can_be_walked() -> None:
    real = read_schemas(Path(__file__).resolve().parents[2] / "schemas")
    assert len(real.kinds()) > 15
    for kind in real.kinds():
        for name in real.types(kind):
            component = real.component(kind, name)
            assert component is not None
            for key, part in component["properties"].items():
                view = real.view(part)
                assert key == "type" or "description" in view, (kind, name, key)
                assert "$ref" not in view
