"""E4xx: what cannot be written as Python."""

from __future__ import annotations

from specgen.codes.entry import Entry
from specgen.codes.example import Example
from specgen.codes.plugin_example import backbone_schema, plugin

WRITING: dict[str, Entry] = {
    "E401": Entry(
        "A name of the spec that becomes a function's name can be one in Python.",
        "Choose another name: not a word of the language, not one of its built-in functions.",
        Example(
            edits=(
                ("name: bev_seg\n", "name: import\n"),
                ("name: bev_seg, num_classes", "name: import, num_classes"),
            )
        ),
    ),
    "E402": Entry(
        "No two parts of the spec become functions of one name in one file.",
        "Rename one of the two.",
        Example(
            edits=(
                ("name: bev_det\n", "name: bev_seg_head\n"),
                ("NuscenesDetectionMetric, name: bev_det", "NuscenesDetectionMetric, name: bev_seg_head"),
            )
        ),
    ),
    "E403": Entry(
        "A value that is left out, and has no default, can be derived from other parts.",
        "Write the value. The compiler derives what the components that come with specgen need; a component "
        "of your own may have a value that it knows nothing of.",
        plugin(
            backbone_schema(
                "Plain", {"grid": {"description": "Cells.", "type": "integer", "x-derived": "The BEV grid."}}
            ),
            ("{type: efficientnet, include_top: false}", "{type: Plain}"),
        ),
    ),
    "E404": Entry(
        "What has to be written out as Python has a class that can be imported.",
        "Use another component, or give the schema its `x-class`. Only a schema of your own can lack it.",
        None,
    ),
}
