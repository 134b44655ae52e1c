"""Every component can be built from what the compiler writes for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from specgen.document import Node
from specgen.locate import ready_specs, schemas_folder
from specgen.pipeline import compiled
from specgen.schemas import Schema, Schemas, children, read_schemas
from specgen.sources import Sources

Build = Callable[[str, dict[str, Any]], Any]

SCHEMAS = read_schemas(schemas_folder())
# These open a pack or start a run: the tests of data, training and deployment build them.
WITH_DATA = {"dataset/NuscenesDataset", "data_loader/DataLoader", "sampler/DistributedSampler"}
WITH_DATA |= {"trainer/distributed_data_parallel_trainer", "trainer/Calibrator"}
WITH_DATA |= {"exporter/HbirExporter", "predictor/HbirPredictor"}
WITH_DATA |= {"checker/ModelChecker", "compiler/HbmCompiler", "predictor/BpuPredictor"}
# What no ready spec uses, in its smallest form.
EXTRA = {
    "backbone/resnet": {"type": "resnet", "in_channels": 3},
    "callback/WarmupStepLrUpdater": {"type": "WarmupStepLrUpdater", "milestones": [3]},
}


def components(node: Node, schema: Schema, schemas: Schemas) -> Iterator[tuple[str, dict[str, Any]]]:
    """(`kind/type`, config) of every component of a compiled spec."""
    if "x-kind" in schema and node.is_map:
        yield f"{schema['x-kind']}/{node.type}", node.plain()
    for _, child, part in children(schemas.view(schema, node), node):
        yield from components(child, part, schemas)


def used() -> dict[str, dict[str, Any]]:
    """One config of every component of the ready specs, the tiny one's where both have it."""
    found: dict[str, dict[str, Any]] = {}
    for name in ("bev_ipm", "bev_ipm_tiny"):
        found.update(components(compiled(ready_specs()[name], Sources()).root, SCHEMAS.top, SCHEMAS))
    return {**found, **EXTRA}


USED = used()


def test_every_component_is_used_or_extra() -> None:
    known = {f"{kind}/{name}" for kind in SCHEMAS.kinds() for name in SCHEMAS.types(kind)}
    assert set(USED) == known
    assert len(known) == 55


@pytest.mark.parametrize("component", sorted(set(USED) - WITH_DATA))
def test_builds(build: Build, component: str) -> None:
    schema = SCHEMAS.component(*component.split("/"))
    assert schema is not None
    made = build(component.split("/")[0], USED[component])
    assert type(made).__name__ == schema["x-class"].rpartition(".")[2]
