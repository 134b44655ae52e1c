"""What a resolved spec notes of origins is read back as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from specgen.diff.marks import only_written, origins_of, with_origins
from specgen.emit.spec_yaml import spec_yaml
from specgen.locate import ready_specs
from specgen.pipeline import compiled
from specgen.sources import Sources
from specgen.yaml_text import parse_yaml


@pytest.mark.parametrize("name", ["bev_ipm", "bev_ipm_tiny"])
@pytest.mark.parametrize("sets", [(), ("march=nash-e", "model.backbone={type: resnet, depth: 18}")])
def test_all_origins_come_back(name: str, sets: tuple[str, ...]) -> None:
    root = compiled(ready_specs()[name], Sources(), sets).root
    text = spec_yaml(root)
    back = with_origins(parse_yaml(text, "spec.yaml"), text)
    origins = {path: (node.origin.kind, " ".join(node.origin.source.split())) for path, node in root.walk()}
    assert {path: (node.origin.kind, node.origin.source) for path, node in back.walk()} == origins
    assert {kind for kind, _ in origins.values()} == {"written", "default", "derived"}


def test_only_what_was_written_is_left() -> None:
    text = (
        "a: 1\nb: 2  # default\nc:\n  d: 3  # from a\n  e: 4\nf:\n  - x: 0  # default\n    y: 1\n"
        'g: 5  # from --set\nh: "1  # default"\n'
    )
    noted = with_origins(parse_yaml(text, "x.yaml"), text)
    left = {"a": 1, "c": {"e": 4}, "f": [{"y": 1}], "g": 5, "h": "1  # default"}
    assert only_written(noted).plain() == left


def test_origins_are_laid_over_a_tree_that_has_more() -> None:
    text = "a: 1  # default\nb: [1, 2]  # from a\n"
    noted = with_origins(parse_yaml(text, "x.yaml"), text)
    over = origins_of(parse_yaml("{a: 1, b: [1, 2], c: 3}", "y.yaml"), noted)
    assert [over.at(*path).origin.kind for path in (("a",), ("b",), ("b", 0), ("c",))] == [
        "default",
        "derived",
        "derived",
        "written",
    ]
    assert Path(over.at("a").span.file).name == "y.yaml"
