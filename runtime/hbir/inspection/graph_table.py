"""The document of a graph as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from runtime.hbir.inspection.short_count import short_count
from runtime.hbir.inspection.text_table import GAP, Row, TextTable

NARROWEST = 60
_BYTES = ("read", "constants", "written")
_ENDS = TextTable(("", "name", "type", "shape", "scale"), name="name")
_NODES = TextTable(
    ("node", "op", "reads", "makes", "type", "scale", "MACs", *_BYTES),
    name="node",
    right=("MACs", *_BYTES),
    optional=("read", "written", "scale", "constants", "type", "reads"),
)
_OPERATIONS = TextTable(("op", "nodes", "MACs", *_BYTES), name="op", right=("nodes", "MACs", *_BYTES))
_WIDEST = TextTable(
    ("widest tensors", "type", "shape", "bytes"), name="widest tensors", right=("bytes",), optional=("type",)
)

Tensor = Mapping[str, Any]


def graph_text(document: Mapping[str, Any], *, nodes: int | None = None, width: int = 110) -> str:
    """Inputs and results, a line for each node under its module, and sums.

    Args:
        document: see `graph_document`.
        nodes: only so many, those with the most multiply-accumulates; None shows all.
        width: characters of a line; less than 60 is taken as 60.
    """
    width = max(width, NARROWEST)
    parts = (
        _head(document, width),
        _nodes(document["nodes"], nodes, width),
        _totals(document["totals"], width),
    )
    return "\n\n".join(parts)


def _head(document: Mapping[str, Any], width: int) -> str:
    form = document["format"]
    rows = [
        {
            "": kind,
            "name": tensor["name"],
            "type": tensor["dtype"],
            "shape": _shape(tensor),
            "scale": " to ".join(_scales(tensor)),
        }
        for kind, tensors in (("input", document["inputs"]), ("result", document["outputs"]))
        for tensor in tensors
    ]
    first = f"{form['name']} version {form['version']}, {len(document['nodes'])} nodes, for one sample"
    # As much of the digest as fits tells files apart, too.
    return "\n".join([first, f"digest {form['digest']}"[:width], "", *_ENDS.lines(rows, width)])


def _nodes(found: Sequence[Mapping[str, Any]], count: int | None, width: int) -> str:
    chosen, title = set(range(len(found))), []
    if count is not None and count < len(found):
        chosen = set(sorted(chosen, key=lambda at: -int(found[at]["macs"]))[:count])
        title = [f"of {len(found)} nodes the {count} with the most multiply-accumulates"]
    rows: list[Row | str] = []
    module = ""
    for node in (node for at, node in enumerate(found) if at in chosen):
        before, (module, _, name) = module, node["name"].rpartition(".")
        if module and module != before:
            rows.append(module)
        rows += _rows(node, f"{GAP}{name}" if module else name)
    return "\n".join([*title, *_NODES.lines(rows, width)])


def _rows(node: Mapping[str, Any], name: str) -> Iterator[Row]:
    """One, and below it further inputs and the largest scale of a channel."""
    output = node["output"]
    row = {
        "node": name,
        "op": node["op"],
        "makes": _shape(output),
        "type": output["dtype"],
        **_work(node),
    }
    shapes, scales = (_shape(tensor) for tensor in node["inputs"]), _scales(output)
    for shape, scale in zip_longest(shapes, scales, fillvalue=""):
        yield {**row, "reads": shape, "scale": scale if row else f"…{scale}" if scale else ""}
        row = {}


def _totals(totals: Mapping[str, Any], width: int) -> str:
    rows = [
        {"op": op, "nodes": str(sums["nodes"]), **_work(sums)}
        for op, sums in (*totals["operations"].items(), ("all", totals))
    ]
    activations = totals["activation_bytes"]
    sums = [
        f"parameters {short_count(totals['parameters'])}, "
        f"constants {short_count(totals['bytes']['constants'])} bytes",
        f"activations {short_count(activations['all'])} bytes, "
        f"at most {short_count(activations['peak'])} at once",
    ]
    widest = [
        {
            "widest tensors": tensor["name"],
            "type": tensor["dtype"],
            "shape": _shape(tensor),
            "bytes": short_count(tensor["bytes"]),
        }
        for tensor in totals["widest"]
    ]
    return "\n".join([*_OPERATIONS.lines(rows, width), "", *sums, "", *_WIDEST.lines(widest, width)])


def _work(found: Mapping[str, Any]) -> Row:
    return {"MACs": short_count(found["macs"]), **{key: short_count(found["bytes"][key]) for key in _BYTES}}


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor["shape"]))


def _scales(tensor: Tensor) -> list[str]:
    """The scale, or the smallest and the largest of the channels."""
    low, high = (f"{scale:.3g}" for scale in (min(tensor["scale"]), max(tensor["scale"])))
    return [low] if low == high else [low, high]
