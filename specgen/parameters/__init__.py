"""How many numbers each part of a model learns, by arithmetic alone: for `specgen diff`, without torch."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

from specgen.document import Node
from specgen.inference import Graph
from specgen.inference.features import Config
from specgen.parameters.backbones import efficientnet, resnet
from specgen.parameters.heads import center_point_head, fcn_head
from specgen.parameters.necks import bifpn, fast_scnn

__all__ = ["PARAMETERS", "part_parameters"]

PARAMETERS: MappingProxyType[str, Callable[[Config], int]] = MappingProxyType(
    {
        "efficientnet": efficientnet,
        "resnet": resnet,
        "FastSCNNNeck": fast_scnn,
        "BiFPN": bifpn,
        "WrappingTransformer": lambda config: 0,
        "DepthwiseSeparableFCNHead": fcn_head,
        "CenterPoint3dHead": center_point_head,
    }
)
"""By type, the count of a component with everything filled in and without a classification top."""


def part_parameters(root: Node, graph: Graph) -> dict[str, int]:
    """Learned numbers by the part's name in the graph; parts of unknown types are left out."""
    return {
        node.name: PARAMETERS[node.type](root.plain_at(*node.path))
        for node in graph.nodes
        if node.type in PARAMETERS and not root.plain_at(*node.path, "include_top", default=False)
    }
