"""Schemas of plugins that mean harm: what one says never becomes code, nor a traceback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from generated_python import check_generated_python

from specgen.codes.example import base_text
from specgen.codes.plugin_example import backbone_schema
from specgen.diagnostic import SpecError
from specgen.pipeline import compiled, generated
from specgen.sources import Sources

CODE = "x=__import__('os').system('id'), width"
NAMES = {"type": "object", "additionalProperties": False}
PROPERTIES: dict[str, tuple[dict[str, Any], str]] = {
    "arguments that are code": (
        {CODE: {"type": "integer", "default": 1}},
        f"the property `{CODE}` cannot be the name of an argument in Python",
    ),
    "a keyword": ({"class": {"type": "integer"}}, "the property `class` cannot be the name of an argument"),
    "no keyword and no name": ({"__debug__": {}}, "the property `__debug__` cannot be the name"),
    "a class inside": (
        {"width": {**NAMES, "x-class": "os.system", "default": {}}},
        "properties.width: `x-class` is `os.system`, which is not in `parts.backbones`",
    ),
    "a class in a list": (
        {"width": {"items": {**NAMES, "x-class": "os.system"}}},
        "properties.width.items: `x-class` is `os.system`",
    ),
    "a class at a place of a list": (
        {"width": {"prefixItems": [{**NAMES, "x-class": "os.system"}]}},
        "properties.width.prefixItems.0: `x-class` is `os.system`",
    ),
    "a class in a map": (
        {"width": {"additionalProperties": {**NAMES, "x-class": "os.system"}}},
        "properties.width.additionalProperties: `x-class` is `os.system`",
    ),
    "a class by a pattern": (
        {"width": {"patternProperties": {"a": {**NAMES, "x-class": "os.system"}}}},
        "properties.width.patternProperties.a: `x-class` is `os.system`",
    ),
    "a class that is a keyword": (
        {"width": {**NAMES, "x-class": "parts.backbones.None"}},
        "`x-class` is `parts.backbones.None`, which is not the dotted path of a class",
    ),
    "a class that is no text": ({"width": {**NAMES, "x-class": 1}}, "`x-class` is `1`, which is not the"),
    "code in a call inside": (
        {"width": {**NAMES, "x-class": "parts.backbones.Width", "properties": {CODE: {}}}},
        f"properties.width: the property `{CODE}` cannot be the name of an argument",
    ),
    "a call with any keys": (
        {"width": {"type": "object", "x-class": "parts.backbones.Width"}},
        'properties.width: `x-class` needs `"additionalProperties": false` beside it',
    ),
    "a call with keys by a pattern": (
        {"width": {**NAMES, "x-class": "parts.backbones.Width", "patternProperties": {".": {}}}},
        "`patternProperties` cannot stand beside `x-class`",
    ),
    "another class for a component": (
        {"width": {**NAMES, "x-class": "parts.backbones.W", "x-kind": "neck", "$ref": "../neck.schema.json"}},
        "cannot stand beside `x-class`",
    ),
    "a component that nothing checks": (
        {"width": {"x-kind": "loss"}},
        '`x-kind` needs `"$ref": "../loss.schema.json"` beside it',
    ),
    "a component of no kind": ({"width": {"x-kind": ["loss"]}}, "`x-kind` is `['loss']`"),
    "a reference to nothing": ({"width": {"x-ref": "stages"}}, "`x-ref` is `stages`, expected one of"),
    "a loader by another name": ({"width": {"x-ref": "data_loader"}}, "is named data_loader or val_data"),
    "keys that are no numbers": ({"width": {"x-int-keys": True}}, "`x-int-keys` needs `patternProperties`"),
    "a property that is no schema": ({"width": True}, "properties.width: is `true`, and has to be an object"),
    "a branch that is no schema": ({"width": {"allOf": [False]}}, "properties.width.allOf.0: is `false`"),
    "a condition that is no schema": ({"width": {"if": True}}, "properties.width.if: is `true`"),
    "no regular expression": ({"width": {"pattern": "("}}, "is no JSON Schema: properties.width.pattern: "),
    "a choice of nothing": ({"width": {"enum": []}}, "properties.width: `enum` has no value"),
    "a unit that is no text": ({"width": {"x-unit": 1}}, "properties.width: `x-unit` is a text"),
    "a pointer into nothing": (
        {"width": {"$ref": "../values.schema.json#/$defs/nothing"}},
        "refers to `values.schema.json#/$defs/nothing`, which is none of specgen's schemas",
    ),
    "a pointer to no schema": (
        {"width": {"$ref": "resnet.schema.json#/properties"}},
        "refers to `backbone/resnet.schema.json#/properties`",
    ),
    "a default of another type": (
        {"width": {"type": "integer", "default": "abc"}},
        "properties.width: the default does not fit: 'abc' is not of type 'integer'",
    ),
    "a default that is not finite": (
        {"width": {"default": float("inf")}},
        "is no JSON: Infinity is not finite",
    ),
    "a default that has itself as default": (
        {
            "width": {
                "x-kind": "backbone",
                "$ref": "../backbone.schema.json",
                "default": {"type": "Plain"},
            }
        },
        "properties.width: the default does not fit: 'Plain' is not one of",
    ),
}
TOP: dict[str, tuple[dict[str, Any], str]] = {
    "a return annotation of two lines": (
        {"x-returns": "parts.backbones.Plain\nimport os"},
        "`x-returns` is `parts.backbones.Plain?import os`, which is not the dotted path of a class",
    ),
    "a return annotation from elsewhere": (
        {"x-returns": "os.PathLike"},
        "`x-returns` is `os.PathLike`, which is not in `parts.backbones` nor in `runtime`",
    ),
    "any keys by a pattern": ({"patternProperties": {".": {}}}, "`patternProperties` cannot stand beside"),
    "a class that is a keyword": ({"x-class": "parts.backbones.None"}, "needs `x-class`, the dotted path"),
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a plugin that has no schema yet."""
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "backbones.py").write_text("class Plain: ...\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def with_schema(name: str, schema: dict[str, Any], *, kind: str = "backbone", module: str = "parts") -> None:
    path = Path(module) / "schemas" / kind / f"{name}.schema.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(schema))


def plain(name: str = "Plain", **properties: object) -> dict[str, Any]:
    return dict(json.loads(backbone_schema(name, properties)[1]))


def built(*sets: str, plugin: str = "parts.backbones") -> dict[str, str]:
    Path("small.yaml").write_text(base_text().replace("name: small\n", f"name: small\nplugins: [{plugin}]\n"))
    return dict(generated(compiled(Path("small.yaml"), Sources(), sets)).files)


def refusal(*sets: str, plugin: str = "parts.backbones") -> tuple[str, str]:
    """Code and message of the one mistake that is found."""
    with pytest.raises(SpecError) as caught:
        built(*sets, plugin=plugin)
    (found,) = caught.value.diagnostics
    return found.code, found.message


@pytest.mark.parametrize(("properties", "message"), PROPERTIES.values(), ids=PROPERTIES.keys())
def test_a_property_that_is_more_than_one(project: Path, properties: dict[str, Any], message: str) -> None:
    with_schema("Plain", plain(**properties))
    code, text = refusal("model.backbone={type: Plain}")
    assert code == "E024" and message in text
    assert "\n" not in text


@pytest.mark.parametrize(("change", "message"), TOP.values(), ids=TOP.keys())
def test_a_component_that_is_more_than_one(project: Path, change: dict[str, Any], message: str) -> None:
    with_schema("Plain", {**plain(), **change})
    code, text = refusal("model.backbone={type: Plain}")
    assert code == "E024" and message in text


def test_a_call_inside_a_component_is_a_call(project: Path) -> None:
    width = {**NAMES, "x-class": "parts.backbones.Width", "properties": {"of": {"type": "integer"}}}
    with_schema("Plain", {**plain(width=width), "x-returns": "runtime.models.interfaces.Backbone"})
    model = built("model.backbone={type: Plain, width: {of: 8}}")["model.py"]
    check_generated_python(model, plugins=["parts.backbones"])
    assert "width=Width(" in model and "def build_backbone() -> Backbone:" in model


@pytest.mark.parametrize("kind", ["spec", "quantization", "values", "nothing"])
def test_a_kind_that_is_none(project: Path, kind: str) -> None:
    with_schema("Plain", plain(), kind=kind)
    code, text = refusal()
    assert code == "E024" and f"there is no kind of component `{kind}`" in text


@pytest.mark.parametrize("name", ["class.parts", "parts.def", "None"])
def test_a_module_named_like_a_word_of_python(project: Path, name: str) -> None:
    path = project.joinpath(*name.split(".")).with_suffix(".py")
    path.parent.mkdir(exist_ok=True)
    path.write_text("")
    code, text = refusal(plugin=name)
    word = next(part for part in name.split(".") if part != "parts")
    assert (code, text) == (
        "E021",
        f"the module `{name}` cannot be imported: `{word}` is a word of Python's own",
    )


@pytest.mark.parametrize(
    ("name", "why"),
    [("tasks", "every experiment has a `tasks.py` of its own"), ("code.x", "Python has a `code` of its own")],
)
def test_a_module_that_another_one_hides(project: Path, name: str, why: str) -> None:
    assert refusal(plugin=name) == ("E021", f"the module `{name}` cannot be imported: {why}")


def test_a_class_named_like_a_function_of_the_file(project: Path) -> None:
    with_schema("Plain", {**plain(), "x-class": "parts.backbones.build_backbone"})
    model = built("model.backbone={type: Plain}")["model.py"]
    check_generated_python(model, plugins=["parts.backbones"])
    assert "from parts.backbones import build_backbone as build_backbone2\n" in model
    assert "    return build_backbone2(" in model


@pytest.mark.parametrize(("kind", "other"), [("loss", "backbone"), ("backbone", "backbone")])
def test_a_name_that_a_component_of_any_kind_has(project: Path, kind: str, other: str) -> None:
    with_schema("efficientnet", plain("efficientnet"), kind=kind)
    code, text = refusal()
    assert code == "E023" and text.endswith(f"there is a {other} `efficientnet` already")


def test_two_components_of_plugins_with_one_name(project: Path) -> None:
    with_schema("Plain", plain())
    with_schema("Plain", plain(), kind="loss")
    code, text = refusal()
    assert code == "E023" and text.endswith("another backbone of a plugin is named `Plain`")
