"""The model as a graph of named parts with the feature maps that each gives, for pictures and tables."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from specgen.document import Node, Path
from specgen.inference import model_features as parts
from specgen.inference.features import Feature
from specgen.inference.model_features import IMAGES, ModelFeatures

_CHAIN: tuple[Path, ...] = (
    parts.BACKBONE,
    parts.NECK,
    parts.VIEW_TRANSFORMER,
    parts.ENCODER_BACKBONE,
    parts.ENCODER_NECK,
)


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A part of the model.

    Args:
        name: dotted, without the leading `model.`; a decoder's head goes by the decoder's `name`.
        type: the component's `type`; `images` for the input.
        path: where it is in the spec; empty for the input.
        features: the maps that it gives, as (channels, stride); of a head all branches together.
    """

    name: str
    type: str
    path: Path
    features: tuple[Feature, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """Parts in the order in which they run, and (from, to) pairs of their names."""

    nodes: tuple[GraphNode, ...]
    edges: tuple[tuple[str, str], ...]


def graph(document: Node, features: ModelFeatures) -> Graph:
    """The graph of a model: a chain from the images to the BEV encoder, from there an edge to each head."""
    nodes = [GraphNode("img", "images", (), (IMAGES,))]
    nodes += [_node(document, features, path, ".".join(map(str, path[1:]))) for path in _CHAIN]
    edges = [(before.name, after.name) for before, after in pairwise(nodes)]
    encoder = nodes[-1].name
    for index, decoder in enumerate(document.at("model", "bev_decoders").elements()):
        name = decoder.plain_at("name", default=str(index))
        nodes.append(_node(document, features, ("model", "bev_decoders", index, "head"), name))
        edges.append((encoder, name))
    return Graph(tuple(nodes), tuple(edges))


def _node(document: Node, features: ModelFeatures, path: Path, name: str) -> GraphNode:
    maps = features.outputs.get(path, [])
    if path[-1] == "head" and maps:
        # Dozens of branches of one size: their channels are counted together.
        maps = [Feature(sum(feature.channels for feature in maps), maps[0].stride)]
    return GraphNode(name, document.at(*path).type or "", path, tuple(maps))
