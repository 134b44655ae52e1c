"""A component of one's own for the examples that need one."""

from __future__ import annotations

import json

from specgen.codes.example import Edit, Example

_MODULE = ("parts/backbones.py", "class Plain: ...\n")
_SCHEMA = "parts/schemas/backbone/{}.schema.json"
_USE: tuple[Edit, ...] = (("name: small\n", "name: small\nplugins: [parts.backbones]\n"),)
_STRIDES = (2, 4, 8, 16, 32)


def plugin(schema: tuple[str, str] | None, *edits: Edit) -> Example:
    """The right spec with the plugin `parts.backbones`, and (name, text) of the schema of its backbone."""
    name, text = schema or ("", "")
    return Example(
        edits=(*_USE, *edits),
        files=(_MODULE, *([(_SCHEMA.format(name), text)] if schema is not None else [])),
    )


def backbone_schema(name: str, properties: dict[str, object]) -> tuple[str, str]:
    """(name, text) of a schema that is right, with these properties."""
    lines = {
        "description": "A backbone of my own.",
        "x-class": "parts.backbones.Plain",
        "x-out-features": [{"channels": 16, "stride": stride} for stride in _STRIDES],
        "type": "object",
        "properties": {
            "type": {"description": "The component's name.", "const": name},
            "in_channels": {
                "description": "Channels of the input.",
                "type": "integer",
                "x-derived": "The images.",
            },
            **properties,
        },
        "required": ["type"],
        "additionalProperties": False,
    }
    body = ",\n".join(f"  {json.dumps(key)}: {_value(value)}" for key, value in lines.items())
    return name, f"{{\n{body}\n}}\n"


def _value(value: object) -> str:
    """JSON; maps of maps and lists of maps have one entry a line."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(f"    {json.dumps(item)}" for item in value) + "\n  ]"
    if isinstance(value, dict):
        return "{\n" + ",\n".join(f"    {json.dumps(k)}: {json.dumps(v)}" for k, v in value.items()) + "\n  }"
    return json.dumps(value)
