"""`model.qdq.onnx`: a QDQ model on disk."""

from __future__ import annotations

from pathlib import Path

import onnx

from runtime.atomic_file import write_bytes
from runtime.hbir.graph import Graph
from runtime.hbir.qdq.translate import to_qdq
from runtime.hbir.validate import validate


def write_qdq(path: Path, graph: Graph, *, any_batch: bool = False) -> None:
    """Write a graph as a QDQ model; equal graphs give equal bytes.

    Args:
        path: of the file.
        graph: what it computes.
        any_batch: for any number of samples, not one.

    Raises:
        RunError: the graph is not well formed, or the file cannot be written.
    """
    model = to_qdq(validate(graph), any_batch=any_batch)
    onnx.checker.check_model(model, full_check=True)
    write_bytes(path, model.SerializeToString(deterministic=True))
