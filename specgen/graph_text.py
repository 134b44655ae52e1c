"""The model's graph in words: as a mermaid flowchart and as a table, with channels@stride."""

from __future__ import annotations

import textwrap

from specgen.inference import Graph
from specgen.inference.features import show

_MOST_MAPS = 5


def mermaid(graph: Graph) -> list[str]:
    """Lines of a mermaid flowchart; labels have no character that ends them."""
    ids = {node.name: f"n{index}" for index, node in enumerate(graph.nodes)}
    lines = ["flowchart LR"]
    for node in graph.nodes:
        lines.append(f'    {ids[node.name]}["{_label(node.name)}<br/>{_label(node.type)}"]')
    maps = {node.name: show(node.features) for node in graph.nodes}
    for start, end in graph.edges:
        lines.append(f'    {ids[start]} -->|"{maps[start]}"| {ids[end]}')
    for name in _last(graph):
        lines.append(f'    {ids[name]} -->|"{_short(maps[name])}"| {ids[name]}_out(["outputs"])')
    return lines


def table(graph: Graph, width: int) -> list[str]:
    """A line for each part: name, type and the maps that it gives; parts beside each other are indented."""
    parallel = [name for name in _last(graph) if len(_last(graph)) > 1]
    names = {node.name: _branch(node.name, parallel) for node in graph.nodes}
    first = max(len(name) for name in [*names.values(), "part"]) + 2
    second = max(len(node.type) for node in graph.nodes) + 2
    lines = [f"{'part':<{first}}{'type':<{second}}channels@stride"]
    for node in graph.nodes:
        start = f"{names[node.name]:<{first}}{node.type:<{second}}"
        hang = first + second
        lines += textwrap.wrap(
            start + show(node.features),
            max(width, hang + 20),
            subsequent_indent=" " * hang,
            drop_whitespace=True,
        )
    return lines


def _last(graph: Graph) -> list[str]:
    """Names of the parts from which no edge goes on."""
    starts = {start for start, _ in graph.edges}
    return [node.name for node in graph.nodes if node.name not in starts]


def _branch(name: str, parallel: list[str]) -> str:
    if name not in parallel:
        return name
    return f"{'└' if name == parallel[-1] else '├'}─ {name}"


def _short(maps: str) -> str:
    """Many outputs as their number: a head's maps are listed in `tasks.py` already."""
    count = maps.count(",") + 1
    return maps if count <= _MOST_MAPS else f"{count} maps"


def _label(text: str) -> str:
    return "".join(c if c.isalnum() or c in "._ " else "_" for c in text)
