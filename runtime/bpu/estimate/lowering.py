"""Float networks as operations of the hardware model, counted as the fit to silicon counts them.

Batch normalisation and ReLU are free behind a convolution, a residual is added in its accumulator, and
`concat` and slices of whole channels are nothing: inputs of one scale are written side by side. The same
holds for the networks of `benchmarks/networks`, to which the chips' constants were fitted.
"""

from __future__ import annotations

from dataclasses import replace

from runtime.bpu.estimate.float_graph import FloatGraph
from runtime.bpu.estimate.folding.constants import fold_constants
from runtime.bpu.estimate.folding.free import fold_free
from runtime.bpu.estimate.folding.lookups import fold_lookups
from runtime.bpu.estimate.folding.pads import fold_pads
from runtime.bpu.estimate.folding.points import fold_points
from runtime.bpu.estimate.folding.sums import fold_sums
from runtime.bpu.estimate.network import Network, grouped_assumptions, grouped_left_out
from runtime.bpu.estimate.node_operations import is_addressing, operations_of_node
from runtime.bpu.operation import Operation
from runtime.errors import RunError

_FOLDS = (fold_free, fold_points, fold_constants, fold_pads, fold_lookups, fold_sums)
_ACCUMULATED = ("conv", "linear")


def network_of(graph: FloatGraph) -> Network:
    """The operations of a float network.

    Raises:
        RunError: a tensor without elements, a window without pixels, or another node that cannot be.
    """
    graph = folded(graph)
    read, written = _ddr_values(graph)
    operations: list[Operation] = []
    left_out: list[tuple[str, str, str]] = []
    assumptions: list[tuple[str, str]] = []
    for node in graph.nodes:
        try:
            made = operations_of_node(node)
        except ValueError as error:
            raise RunError(f"not a possible `{node.source}`: {error}", place=node.name) from error
        if isinstance(made, str):
            left_out.append((node.source, node.name, made))
            continue
        found, words = made
        if words:
            assumptions.append((node.source, words))
        if found and any(name in read for name in node.inputs):
            found[0] = replace(found[0], reads_ddr=True)
        if found and node.output in written:
            # A result that nothing rounds leaves as the accumulator that it is.
            bits = 32 if found[-1].op in _ACCUMULATED and not node.clamps else found[-1].out_bits
            found[-1] = replace(found[-1], writes_ddr=True, out_bits=bits)
        operations += found
    return Network(
        tuple(operations),
        grouped_left_out(left_out),
        grouped_assumptions(assumptions),
        inputs=graph.inputs,
    )


def folded(graph: FloatGraph) -> FloatGraph:
    """The nodes that are work, without those that are part of another's or nothing.

    Raises:
        RunError: a tensor without elements, or a window without pixels.
    """
    _check_sizes(graph)
    for fold in _FOLDS:
        graph = fold(graph)
    return graph


def _check_sizes(graph: FloatGraph) -> None:
    for node in graph.nodes:
        sizes = (*node.kernel, *node.stride, *node.dilation, node.groups)
        if min(sizes) < 1:
            raise RunError(f"a window or a number of groups is {min(sizes)}", place=node.name or node.source)
        for shape in (*node.in_shapes, node.out_shape):
            if 0 in shape:
                raise RunError(f"a tensor of shape {shape} has no elements", place=node.name or node.source)


def _ddr_values(graph: FloatGraph) -> tuple[set[str], set[str]]:
    """Values that lie in DDR because they are inputs or results, or parts of them."""
    read, written = set(graph.inputs), set(graph.outputs)
    for node in graph.nodes:
        if is_addressing(node) and any(name in read for name in node.inputs):
            read.add(node.output)
    for node in reversed(graph.nodes):
        if is_addressing(node) and node.kind == "concat" and node.output in written:
            written.update(node.inputs)
    return read, written
