"""A graph as a JSON document: the layout that `specgen inspect --json` prints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from runtime.hbir.graph import Graph
from runtime.hbir.inspection.live_bytes import peak_bytes
from runtime.hbir.onnx_encode import FORMAT, VERSION, content_digest, to_onnx
from runtime.hbir.tensor_type import Constant, TensorType
from runtime.hbir.work import Work, work_of

LAYOUT = 1
"""Of the document; keys may be added to a layout, none goes or changes its meaning."""
_WIDEST = 5
_PARAMETERS = ("weight", "bias")

Document = dict[str, Any]


def graph_document(graph: Graph) -> Document:
    """Everything about a graph but the values of its constants, for one sample.

    Returns:
        `layout`; `format` (`name`, `version`, `digest`); `inputs` and `outputs`, each tensor with `name`,
        `dtype`, `shape` and `scale` (one number, or one a channel); `nodes` in their order, each with `name`,
        `op`, `inputs`, `output`, `attributes`, `constants`, `macs` and `bytes` (`read`, `constants`,
        `written`); `totals` with `nodes`, `macs`, `parameters` (how many), `bytes`, `activation_bytes`
        (`all`; `peak`, at once), `operations` (by name: `nodes`, `macs`, `bytes`) and `widest` (tensors).
    """
    works = list(work_of(graph))
    return {
        "layout": LAYOUT,
        "format": {"name": FORMAT, "version": VERSION, "digest": content_digest(to_onnx(graph))},
        "inputs": [_tensor(tensor) for tensor in graph.inputs],
        "outputs": [_tensor(graph.types[name]) for name in graph.outputs],
        "nodes": [_node(graph, work) for work in works],
        "totals": _totals(graph, works),
    }


def _tensor(tensor: TensorType) -> Document:
    return {
        "name": tensor.name,
        "dtype": tensor.dtype,
        "shape": list(tensor.shape),
        "scale": list(tensor.scale),
    }


def _node(graph: Graph, work: Work) -> Document:
    node = work.node
    return {
        "name": node.name,
        "op": node.op,
        "inputs": [_tensor(tensor) for tensor in graph.input_types(node)],
        "output": _tensor(graph.types[node.output]),
        "attributes": {
            key: value if isinstance(value, int) else list(value) for key, value in node.attributes.items()
        },
        "constants": {key: _constant(constant) for key, constant in node.constants.items()},
        "macs": work.macs,
        "bytes": _bytes([work]),
    }


def _constant(constant: Constant) -> Document:
    return {"dtype": constant.dtype, "shape": list(constant.shape), "bytes": len(constant.data)}


def _totals(graph: Graph, works: list[Work]) -> Document:
    by_op: dict[str, list[Work]] = {}
    for work in works:
        by_op.setdefault(work.node.op, []).append(work)
    weights = [node.constants[key] for node in graph.nodes for key in _PARAMETERS if key in node.constants]
    widest = sorted(graph.types.values(), key=lambda tensor: tensor.bytes, reverse=True)[:_WIDEST]
    return {
        **_sums(works),
        "parameters": sum(constant.integers.size for constant in weights),
        "activation_bytes": {"all": sum(work.written for work in works), "peak": peak_bytes(graph)},
        "operations": {op: _sums(by_op[op]) for op in sorted(by_op)},
        "widest": [{**_tensor(tensor), "bytes": tensor.bytes} for tensor in widest],
    }


def _sums(works: list[Work]) -> Document:
    return {"nodes": len(works), "macs": sum(work.macs for work in works), "bytes": _bytes(works)}


def _bytes(works: Iterable[Work]) -> dict[str, int]:
    totals = {"read": 0, "constants": 0, "written": 0}
    for work in works:
        totals["read"] += work.read
        totals["constants"] += work.constants
        totals["written"] += work.written
    return totals
