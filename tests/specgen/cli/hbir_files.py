"""A small exported model on disk, and an experiment that has exported one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from runtime.hbir.graph import Graph, Node
from runtime.hbir.onnx_file import write_graph
from runtime.hbir.tensor_type import Constant, TensorType
from specgen.emit.lock import LOCK

BOUNDS = {"lo": -128, "hi": 127}


def small_graph() -> Graph:
    """`img` (1, 2, 4, 5), a 1 x 1 convolution to three channels, its sum with itself, accumulators."""
    img = TensorType("img", "int8", (1, 2, 4, 5), (0.5,))
    weights = {
        "weight": Constant.of(np.arange(-3, 3).reshape(3, 2, 1, 1) * 20, "int8"),
        "bias": Constant.of([100, -100, 0], "int32"),
    }
    rescale = {
        "multiplier": Constant.of([20000, 17000, 30000], "int16"),
        "shift": Constant.of([20, 20, 20], "int8"),
    }
    window = {"groups": 1, "stride": (1, 1), "padding": (0, 0), "dilation": (1, 1)}
    nodes = (
        Node("body.conv", "conv", ("img",), "body.conv", {**window, **BOUNDS}, weights | rescale),
        Node(
            "body.sum",
            "add",
            ("body.conv", "body.conv"),
            "body.sum",
            {"multipliers": (2**14, 2**14), "shift": 15, **BOUNDS},
        ),
        Node("head", "conv", ("img",), "head", window, weights),
    )
    tensors = (
        TensorType("body.conv", "int8", (1, 3, 4, 5), (0.25,)),
        TensorType("body.sum", "int8", (1, 3, 4, 5), (0.25,)),
        TensorType("head", "int32", (1, 3, 4, 5), (0.1, 0.2, 0.3)),
    )
    return Graph((img,), nodes, tensors, ("body.sum", "head"))


def other_multiplier() -> Graph:
    """The same with another multiplier of channel 2 of `body.conv`."""
    graph = small_graph()
    first, *rest = graph.nodes
    constants = {**first.constants, "multiplier": Constant.of([20000, 17000, 16384], "int16")}
    return replace(graph, nodes=(replace(first, constants=constants), *rest))


def exported_experiment(folder: Path, *graphs: Graph) -> Path:
    """An experiment of that folder with a finished run of `export` for each graph."""
    folder.mkdir(parents=True)
    (folder / LOCK).write_text('spec = "toy"\n')
    for number, graph in enumerate(graphs, start=1):
        run = folder / "runs" / f"{number:04d}-export"
        run.mkdir(parents=True)
        (run / "run.json").write_text(json.dumps({"stage": "export", "status": "finished"}))
        write_graph(run / "model.hbir.onnx", graph)
    return folder
