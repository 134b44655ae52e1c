"""The experiment's README: what it is, how to run it, its stages, its model as a graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from specgen.document import Node, Path
from specgen.emit.templates import Templates
from specgen.emit.units import Unit
from specgen.graph_text import mermaid
from specgen.inference import Graph
from specgen.schemas import Schemas, child_schema


@dataclass(frozen=True, slots=True)
class StageRow:
    """A line of the stage table."""

    name: str
    component: str
    description: str
    runs: bool
    judges: bool


def readme(
    root: Node, graph: Graph, units: Mapping[Path, Unit], schemas: Schemas, templates: Templates, spec: str
) -> str:
    """The README's text."""
    stages_schema = schemas.view(child_schema(schemas.top, "stages"))
    rows = []
    for name, stage in root.at("stages").items():
        view = schemas.view(child_schema(stages_schema, name), stage)
        runs = ("stages", name) in units
        description = str(view.get("description", "")).rstrip(".")
        judges = runs and "val_metrics" in view.get("properties", {})
        rows.append(StageRow(name, stage.type or "", description, runs, judges))
    return templates.render(
        "README.md.j2",
        spec=spec,
        name=root.plain_at("name"),
        march=root.plain_at("march"),
        stages=rows,
        sections=list(dict.fromkeys(unit.file for unit in units.values())),
        graph=mermaid(graph),
    )
