"""The graph that a program computes, from its layers and the constants in DDR."""

from __future__ import annotations

import numpy as np

from runtime.bpu.program.program import Layer, Program
from runtime.bpu.program.region import Region
from runtime.bpu.simulator.memory import array_of
from runtime.errors import RunError
from runtime.hbir.graph import Graph, Node
from runtime.hbir.tensor_type import Constant
from runtime.hbir.validate import validate


def layer_graph(program: Program) -> Graph:
    """The graph, valid, whatever the instructions do.

    Raises:
        RunError: layers that make no valid graph, constants that lie elsewhere than in DDR's constants.
    """
    data = np.frombuffer(program.constants, dtype=np.uint8)
    nodes = tuple(_node(layer, data) for layer in program.layers)
    return validate(Graph(program.inputs, nodes, program.tensors, program.outputs))


def _node(layer: Layer, data: np.ndarray) -> Node:
    constants = {key: _constant(layer, key, region, data) for key, region in layer.constants.items()}
    return Node(layer.name, layer.op, layer.inputs, layer.output, dict(layer.attributes), constants)


def _constant(layer: Layer, key: str, region: Region, data: np.ndarray) -> Constant:
    if region.memory != "ddr" or region.step:
        raise RunError(f"the constant `{key}` of the layer `{layer.name}` does not lie at one place of DDR")
    try:
        array = array_of(data, region)
    except ValueError as error:
        raise RunError(f"the constant `{key}` of the layer `{layer.name}`: {error}") from error
    return Constant(region.dtype, region.shape, np.ascontiguousarray(array).tobytes())
