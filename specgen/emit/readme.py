"""The experiment's README: what it is, how to run it, its stages, its model as a graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from specgen.document import Node, Path
from specgen.emit.templates import Templates
from specgen.emit.units import Unit
from specgen.inference import Graph
from specgen.inference.features import show
from specgen.schemas import Schemas, child_schema


@dataclass(frozen=True, slots=True)
class StageRow:
    """A line of the stage table."""

    name: str
    component: str
    description: str
    runs: bool


def readme(
    root: Node, graph: Graph, units: Mapping[Path, Unit], schemas: Schemas, templates: Templates, spec: str
) -> str:
    """The README's text."""
    stages_schema = schemas.view(child_schema(schemas.top, "stages"))
    rows = []
    for name, stage in root.at("stages").items():
        view = schemas.view(child_schema(stages_schema, name), stage)
        runs = ("stages", name) in units
        rows.append(StageRow(name, stage.type or "", str(view.get("description", "")).rstrip("."), runs))
    return templates.render(
        "README.md.j2",
        spec=spec,
        name=root.plain_at("name"),
        march=root.plain_at("march"),
        stages=rows,
        sections=list(dict.fromkeys(unit.file for unit in units.values())),
        graph=_mermaid(graph),
    )


def _mermaid(graph: Graph) -> list[str]:
    """Lines of a mermaid flowchart; labels have no character that ends them."""
    ids = {node.name: f"n{index}" for index, node in enumerate(graph.nodes)}
    lines = ["flowchart LR"]
    for node in graph.nodes:
        lines.append(f'    {ids[node.name]}["{_label(node.name)}<br/>{_label(node.type)}"]')
    maps = {node.name: show(node.features) for node in graph.nodes}
    for start, end in graph.edges:
        lines.append(f'    {ids[start]} -->|"{maps[start]}"| {ids[end]}')
    for node in graph.nodes:
        if node.name not in {start for start, _ in graph.edges}:
            lines.append(
                f'    {ids[node.name]} -->|"{_short(maps[node.name])}"| {ids[node.name]}_out(["outputs"])'
            )
    return lines


def _short(maps: str) -> str:
    """Many outputs as their number: a head's maps are listed in `tasks.py` already."""
    count = maps.count(",") + 1
    return maps if count <= 5 else f"{count} maps"


def _label(text: str) -> str:
    return "".join(c if c.isalnum() or c in "._ " else "_" for c in text)
