"""What two runs of a graph, or of two graphs, have in common: as a JSON document and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from torch import Tensor

from runtime.hbir.comparison.first_difference import Difference, first_difference, tensor_pairs
from runtime.hbir.comparison.structural_difference import structural_difference
from runtime.hbir.comparison.traced_run import Trace
from runtime.hbir.graph import Graph

LAYOUT = 1
"""Of the document; keys may be added to a layout, none goes or changes its meaning."""

Document = dict[str, Any]


def difference_document(
    a: Graph, run_a: Trace, b: Graph, run_b: Trace, codes: Mapping[str, Tensor]
) -> Document:
    """Compares the graphs, then their tensors on the same codes.

    Args:
        a: the first graph.
        run_a: runs it.
        b: the second graph.
        run_b: runs it.
        codes: of the inputs of `a`, by name.

    Returns:
        `layout`; `equal`; `structure`, the first difference of the graphs in words, or null; `tensors`, how
        many of `a` were `compared`, and `all` there are; `first`, null or the first tensor that differs:
        `node`, `op`, `tensor`, `dtype`, `shapes` (two), `unknown_inputs`, and, for equal shapes, `codes`,
        `differing`, `index`, `values` (two) and `largest`.

    Raises:
        RunError: codes that do not fit `a`.
    """
    structure = structural_difference(a, b)
    fits = [(x.name, x.dtype, x.shape) for x in a.inputs] == [(x.name, x.dtype, x.shape) for x in b.inputs]
    pairs = tensor_pairs(a, b) if fits else {}
    first = first_difference(a, run_a(a, codes), run_b(b, codes), pairs) if pairs else None
    return {
        "layout": LAYOUT,
        "equal": structure is None and first is None,
        "structure": structure,
        "tensors": {"compared": len(pairs), "all": len(a.nodes)},
        "first": None if first is None else _first(a, first),
    }


def _first(graph: Graph, found: Difference) -> Document:
    return {
        "node": found.node.name,
        "op": found.node.op,
        "tensor": found.node.output,
        "dtype": graph.types[found.node.output].dtype,
        "shapes": [list(shape) for shape in found.shapes],
        "unknown_inputs": list(found.unknown_inputs),
        **({} if found.codes is None else {**asdict(found.codes), "index": list(found.codes.index)}),
    }


def difference_text(document: Mapping[str, Any]) -> str:
    """A few lines about what `difference_document` found."""
    tensors, first = document["tensors"], document["first"]
    count = f"{tensors['compared']} of {tensors['all']} tensors"
    lines = []
    if document["structure"] is not None:
        lines.append(f"the graphs differ: {document['structure']}")
    if not tensors["compared"]:
        return "\n".join(
            [*lines, "no tensors were compared: the graphs read other inputs, or share no names"]
        )
    if first is None:
        return "\n".join([*lines, f"all codes are equal, {count} compared"])
    lines.append(
        f"the first tensor that differs: `{first['tensor']}` of the node `{first['node']}` ({first['op']})"
    )
    if "codes" in first:
        one, other = first["values"]
        lines += [
            f"  {first['differing']} of {first['codes']} {first['dtype']} codes differ, "
            f"by up to {first['largest']}",
            f"  first at {tuple(first['index'])}: {one} in A, {other} in B",
        ]
    else:
        one, other = (tuple(shape) for shape in first["shapes"])
        lines.append(f"  it is {one} in A, {other} in B")
    if first["unknown_inputs"]:
        unknown = ", ".join(f"`{name}`" for name in first["unknown_inputs"])
        lines.append(f"  it reads {unknown}, which B has not: look there first")
    else:
        lines.append("  all that it reads is equal: the node itself computes otherwise")
    return "\n".join(lines)
