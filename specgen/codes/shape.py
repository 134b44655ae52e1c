"""E1xx, what the schemas say of a value, and E2xx, values that follow from others."""

from __future__ import annotations

from specgen.codes.entry import Entry
from specgen.codes.example import Example
from specgen.codes.plugin_example import backbone_schema, plugin


def _edit(old: str, new: str) -> Example:
    return Example(edits=((old, new),))


SHAPE: dict[str, Entry] = {
    "E101": Entry(
        "A value is of the type that its property has: text, a number, a list, ...",
        "Write a value of the type that the message names. In YAML 1.2 `yes` is text and "
        "`1e3` no whole number.",
        _edit("batch_size: 2\n    sampler", "batch_size: two\n    sampler"),
    ),
    "E102": Entry(
        "A map has only keys that its schema knows.",
        "Correct the name, or remove the key; `specgen explain` with the component's place lists its keys.",
        _edit("{type: resnet, depth: 18}", "{type: resnet, dept: 18}"),
    ),
    "E103": Entry(
        "The keys that a map needs are there.",
        "Add the key; the hint says what it is.",
        _edit("    num_epochs: 5\n", ""),
    ),
    "E104": Entry(
        "A text or a key has the form that its property asks for.",
        "Write it in the form that the message names.",
        _edit("name: small\n", "name: Small Model\n"),
    ),
    "E105": Entry(
        "A value that has choices is one of them, a `type` included.",
        "Write one of the choices; `specgen list KIND` says what each type is.",
        _edit("{type: resnet, depth: 18}", "{type: resnet, depth: 19}"),
    ),
    "E106": Entry(
        "A number lies within the bounds of its property.",
        "Write a number within the bounds. One far outside is mostly in another unit: the message names the "
        "property's.",
        _edit("{type: BevRotate, rot: [-0.1, 0.1]", "{type: BevRotate, rot: [-5.4, 5.4]"),
    ),
    "E107": Entry(
        "A list or map has as many elements as its property asks for, and none twice where they must differ.",
        "Add or remove elements.",
        _edit("bev_size: [32.0, 32.0, 1.0]\n    num_views", "bev_size: [32.0, 1.0]\n    num_views"),
    ),
    "E199": Entry(
        "A value keeps to what else its schema says.",
        "The hint is the property's description. The schemas that come with specgen say nothing of this "
        "kind; those of a module of your own may.",
        plugin(
            backbone_schema(
                "Plain",
                {"depth": {"description": "Layers, but not 13.", "type": "integer", "not": {"const": 13}}},
            ),
            ("{type: efficientnet, include_top: false}", "{type: Plain, depth: 13}"),
        ),
    ),
    "E201": Entry(
        "A value that follows from other parts is what it follows to, when it is written.",
        "Leave it out: it is filled in, and the resolved spec says from where. Or change the part that it "
        "follows from.",
        _edit("    indexes: [-3, -1]\n", "    in_channels: [32, 320]\n    indexes: [-3, -1]\n"),
    ),
}
