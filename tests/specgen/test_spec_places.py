"""Every place of a real spec can be explained, and says of itself what the spec says of it."""

from __future__ import annotations

import pytest

from specgen.document import Node, Path, dotted
from specgen.locate import ready_specs, schemas_folder
from specgen.pipeline import compiled
from specgen.place_text import place_text
from specgen.schemas import read_schemas
from specgen.sources import Sources
from specgen.spec_places import NoSuchPlace, component_places, parsed, places

SCHEMAS = read_schemas(schemas_folder())


def root_of(name: str) -> Node:
    return compiled(ready_specs()[name], Sources()).root


@pytest.mark.parametrize("name", ["bev_ipm", "bev_ipm_tiny"])
def test_every_place_of_a_ready_spec(name: str) -> None:
    root = root_of(name)
    paths = [path for path, _ in root.walk() if path]
    assert len(paths) > 500
    for path in paths:
        assert parsed(dotted(path)) in (path, tuple(int(s) if str(s).isdigit() else s for s in path))
        found = places(parsed(dotted(path)), SCHEMAS)
        chosen = [
            place for place in found if all(root.plain_at(*at, "type") == kind for at, kind in place.types)
        ]
        assert chosen, dotted(path)
        text = place_text(parsed(dotted(path)), chosen, SCHEMAS, 80)
        assert text.startswith(dotted(path)) and "\ntype      " in text


def test_components_stand_where_the_ready_specs_have_them() -> None:
    root, at = root_of("bev_ipm"), component_places(SCHEMAS)
    patterns = {pattern for found in at.values() for pattern in found}
    components = [path for path, node in root.walk() if node.type is not None]
    assert len(components) > 40
    for path in components:
        assert any(_fits(path, pattern) for pattern in patterns), dotted(path)
    assert set(at) == set(SCHEMAS.kinds())


def _fits(path: Path, pattern: str) -> bool:
    wanted = pattern.split(".")
    return len(wanted) == len(path) and all(a in ("*", str(b)) for a, b in zip(wanted, path, strict=True))


def test_keys_that_are_numbers() -> None:
    (place,) = places(parsed("model.bev_encoder.neck.stride2channels.8"), SCHEMAS)
    assert place.owner == ("neck", "BiFPN")


@pytest.mark.parametrize(
    "path", ["x", "model.0", "model.bev_decoders.x", "model..backbone", "model.neck.indexes.0.1"]
)
def test_no_such_place(path: str) -> None:
    with pytest.raises(NoSuchPlace):
        places(parsed(path), SCHEMAS)
