"""Element-wise functions of one map: one table each, however many nodes spell them.

`x * sigmoid(x)`, `x * clip(x + 3, 0, 6) / 6` and the erf form of GELU are functions of the single value x,
which a table of its codes holds. A function that only scales and clips, such as ReLU, is no work at all
behind an operation that rounds its result anyway.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from runtime.bpu.estimate.float_graph import FloatGraph, FloatNode
from runtime.bpu.estimate.folding.constants import varies_along

_BOTH = ("add", "multiply", "divide")
_CONSTANTS = ("add_constant", "multiply_constant")
_ROUNDED = (
    *("conv", "conv_transpose", "linear", "matmul"),
    *("add", "multiply", "divide", "batch_norm", *_CONSTANTS),
)


def fold_lookups(graph: FloatGraph) -> FloatGraph:
    """Every function of one value becomes one node `pointwise`, or vanishes into what makes the value."""
    roots = _roots(graph)
    producers, needed = graph.producers(), _needed(graph, roots)
    read = {name for node in graph.nodes if node.output not in roots for name in node.inputs}
    read |= set(graph.outputs)
    functions = Counter(root for name, root in roots.items() if name in needed)
    aliases, clamped = dict[str, str](), set[str]()
    nodes: list[FloatNode] = []
    for node in graph.nodes:
        root = roots.get(node.output)
        if root is None:
            nodes.append(node)
            continue
        if node.output not in needed:
            continue
        maker = producers.get(root)
        parts = {part.kind for part in _region(node, root, producers)}
        is_alone = functions[root] == 1 and root not in read
        if maker is not None and maker.kind in _ROUNDED and is_alone and parts <= {"clamp", *_CONSTANTS}:
            aliases[node.output] = root
            if "clamp" in parts:
                clamped.add(root)
        else:
            nodes.append(
                replace(node, kind="pointwise", inputs=(root,), in_shapes=(node.out_shape,), constants=())
            )
    nodes = [replace(node, clamps=True) if node.output in clamped else node for node in nodes]
    return graph.rewritten(nodes, aliases)


def _roots(graph: FloatGraph) -> dict[str, str]:
    """For each result that is a function of one value: that value, which is used as it is somewhere else."""
    whole: set[str] = set()
    while True:
        roots: dict[str, str] = {}
        for node in graph.nodes:
            sources = {roots.get(name, name) if name not in whole else name for name in node.inputs}
            if len(sources) == 1 and _is_elementwise(node):
                (roots[node.output],) = sources
        found = set(_needed(graph, roots)) & set(roots)
        if found <= whole:
            return roots
        whole |= found


def _needed(graph: FloatGraph, roots: dict[str, str]) -> set[str]:
    """Values that something other than a function of one value reads, or that are results."""
    read = {name for node in graph.nodes if node.output not in roots for name in node.inputs}
    return read | set(graph.outputs) | set(roots.values())


def _is_elementwise(node: FloatNode) -> bool:
    if any(shape != node.out_shape for shape in node.in_shapes):
        return False
    if node.kind in _CONSTANTS:
        return not varies_along(node.constant, node.out_shape)
    return node.kind in ("clamp", "pointwise") or node.kind in _BOTH


def _region(node: FloatNode, root: str, producers: dict[str, FloatNode]) -> list[FloatNode]:
    """The nodes between a root and a function of it."""
    found, open_nodes = {node.output: node}, [node]
    while open_nodes:
        for name in open_nodes.pop().inputs:
            if name != root and name not in found:
                found[name] = producers[name]
                open_nodes.append(producers[name])
    return list(found.values())
