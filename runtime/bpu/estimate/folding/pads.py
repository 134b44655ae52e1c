"""Zero padding before a convolution or pool is padding of its window."""

from __future__ import annotations

from dataclasses import replace

from runtime.bpu.estimate.float_graph import FloatGraph, FloatNode

_WINDOWS = ("conv", "max_pool", "avg_pool")


def fold_pads(graph: FloatGraph) -> FloatGraph:
    """Folds pads of height and width into the window that alone reads them."""
    uses, producers, aliases = graph.uses(), graph.producers(), dict[str, str]()
    nodes: list[FloatNode] = []
    for node in graph.nodes:
        pad = producers.get(node.inputs[0]) if node.kind in _WINDOWS else None
        if pad is None or pad.kind != "pad" or uses[pad.output] > 1 or not _is_spatial(pad):
            nodes.append(node)
            continue
        aliases[pad.output] = pad.inputs[0]
        extra = pad.padding
        padding = (node.padding[0] + extra[0], node.padding[1] + extra[1])
        nodes.append(replace(node, in_shapes=(pad.in_shapes[0], *node.in_shapes[1:]), padding=padding))
    return graph.rewritten([node for node in nodes if node.output not in aliases], aliases)


def _is_spatial(pad: FloatNode) -> bool:
    """A map whose batch and channels are not padded, and which is not cropped."""
    before, after = pad.in_shapes[0], pad.out_shape
    return len(before) == 4 and before[:2] == after[:2] and before[2] <= after[2] and before[3] <= after[3]
