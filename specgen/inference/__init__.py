"""Derives what follows from other parts of a spec: channels, strides, grids, scales. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass

from specgen.diagnostic import Diagnostic
from specgen.document import Node
from specgen.inference.derived import apply
from specgen.inference.facts import derive
from specgen.inference.graph import Graph, GraphNode, graph
from specgen.inference.model_features import model_features

__all__ = ["Graph", "GraphNode", "Inference", "infer"]


@dataclass(frozen=True, slots=True)
class Inference:
    """The document with every derived value, what is wrong with written ones, and the model's graph."""

    document: Node
    diagnostics: tuple[Diagnostic, ...]
    graph: Graph


def infer(document: Node) -> Inference:
    """Fills in the derived values of a document that is valid and has its defaults."""
    features = model_features(document)
    filled, diagnostics = apply(document, derive(document, features))
    return Inference(filled, diagnostics, graph(filled, features))
