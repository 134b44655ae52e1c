"""Float networks as fixed-point graphs of their shapes: the same work; what has no form is told by name."""

from __future__ import annotations

from typing import Any

import pytest
from test_public_networks import _exported
from torch_networks import TORCH_NETWORKS

from benchmarks.networks.catalogue import LAYERS
from runtime.bpu.compiler import compile_graph
from runtime.bpu.estimate.as_graph.network_graph import as_graph
from runtime.bpu.estimate.float_graph import FloatGraph, FloatNode
from runtime.bpu.estimate.lowering import network_of
from runtime.bpu.estimate.torch_reading.program import graph_of_program
from runtime.bpu.graph_operations import operations_of_graph
from runtime.bpu.march import load_march
from runtime.bpu.network_cost import network_cost
from runtime.bpu.simulator.hazards import check_hazards
from runtime.bpu.simulator.verify import verify
from runtime.errors import RunError
from runtime.hbir.graph import Graph

IMAGE = (1, 8, 12, 16)
FREE = ("FasterNet-T0", "GoogLeNet", "YOLOv8n", "YOLOv8l-seg")
"""Networks with `concat`, which the fit takes to be free."""


def node(kind: str, inputs: str, output: str, out: tuple[int, ...], **settings: Any) -> FloatNode:
    """One that reads maps of the size of the image unless told otherwise."""
    names = tuple(inputs.split())
    usual = {"in_shapes": (IMAGE,) * len(names), "source": kind}
    return FloatNode(kind=kind, inputs=names, output=output, out_shape=out, **{**usual, **settings})


def graph_of(*nodes: FloatNode, outputs: tuple[str, ...] = ()) -> Graph:
    return as_graph(FloatGraph({"x": IMAGE}, outputs or (nodes[-1].output,), nodes))


def conv(inputs: str, output: str, out: tuple[int, ...] = IMAGE, **settings: Any) -> FloatNode:
    window = {"kernel": (3, 3), "padding": (1, 1), "clamps": True, **settings}
    return node("conv", inputs, output, out, **window)


@pytest.mark.parametrize("name", LAYERS)
def test_products_are_those_of_the_network(name: str) -> None:
    layers = LAYERS[name]((1, 3, 64, 64))
    made = operations_of_graph(as_graph(layers.graph))
    products = [sum(one.macs for one in found if one.has_weights) for found in (made, layers.operations)]
    assert products[0] == products[1]


@pytest.mark.parametrize("name", [name for name in LAYERS if name not in FREE])
def test_time_is_that_of_the_network(name: str) -> None:
    """Node for node; a classifier on a map of one pixel is a 1x1 convolution, which costs the same."""
    layers, march = LAYERS[name]((1, 3, 64, 64)), load_march("bayes-e")
    made = network_cost(march, operations_of_graph(as_graph(layers.graph)))
    assert made.microseconds == pytest.approx(network_cost(march, layers.operations).microseconds)


@pytest.mark.parametrize("name", TORCH_NETWORKS)
def test_torch_and_the_catalogue_give_one_graph(name: str) -> None:
    """But for the order of what does not depend on each other."""
    march = load_march("nash-e")
    floats = graph_of_program(_exported(TORCH_NETWORKS[name]())), LAYERS[name]((1, 3, 128, 128)).graph
    times = [network_cost(march, operations_of_graph(as_graph(one))).microseconds for one in floats]
    assert times[0] == pytest.approx(times[1])


def test_all_kinds_compile() -> None:
    half, pooled = (1, 8, 6, 8), (1, 8, 1, 1)
    nodes = (
        conv("x", "a"),
        conv("a a", "b"),
        node("pointwise", "b", "table", IMAGE),
        node("max_pool", "table", "small", half, kernel=(2, 2), stride=(2, 2)),
        node("resize", "small", "large", IMAGE, in_shapes=(half,), taps=4),
        node("conv_transpose", "small", "up", IMAGE, in_shapes=(half,), kernel=(4, 4), stride=(2, 2)),
        node("add", "large up", "sum", IMAGE),
        node("reduce", "sum", "mean", pooled, axes=(2, 3), source="mean"),
        node("multiply", "mean sum", "gated", IMAGE, in_shapes=(pooled, IMAGE)),
        node("multiply_constant", "gated", "scaled", IMAGE, constants=((8, 1, 1),)),
        node("concat", "scaled sum", "both", (1, 16, 12, 16), axes=(1,)),
        node("slice", "both", "part", IMAGE, in_shapes=((1, 16, 12, 16),), axes=(1,)),
        node("flip", "part", "turned", IMAGE),
        node("transpose", "turned", "t", (1, 8, 16, 12), axes=(0, 1, 3, 2)),
        node("reshape", "t", "flat", (1, 1536), in_shapes=((1, 8, 16, 12),)),
        node("linear", "flat", "y", (1, 5), in_shapes=((1, 1536),)),
    )
    graph, march = graph_of(*nodes), load_march("nash-e")
    assert graph.types["y"].dtype == "int32"
    program = compile_graph(graph, march)
    verify(program)
    check_hazards(program)


def test_points_of_a_sampler_that_are_constant() -> None:
    """As those of a grid that every frame shares."""
    points = (1, 5, 6, 2)
    sampler = node("grid_sample", "x", "y", (1, 8, 5, 6), in_shapes=(IMAGE, points), constants=(points,))
    graph = graph_of(sampler)
    assert graph.nodes[0].inputs == ("x",) and graph.nodes[0].constants["points"].shape == points
    verify(compile_graph(graph, load_march("nash-e")))


def test_results_that_are_read_again_are_rounded() -> None:
    first = conv("x", "a", clamps=False)
    graph = graph_of(first, node("pointwise", "a", "b", IMAGE), outputs=("a", "b"))
    assert [graph.types[name].dtype for name in ("a", "b")] == ["int8", "int8"]
    assert graph_of(first).types["a"].dtype == "int32"


@pytest.mark.parametrize(
    ("kind", "out", "settings", "padding"),
    [
        ("conv", (1, 8, 6, 8), {"stride": (2, 2), "padding": (0, 0)}, (1, 1)),
        ("max_pool", (1, 8, 6, 8), {"kernel": (3, 3), "stride": (2, 2)}, (1, 1)),
        ("conv", (1, 8, 10, 14), {"padding": (0, 0)}, (0, 0)),
    ],
)
def test_padding_gives_the_size_that_is_there(
    kind: str, out: tuple[int, ...], settings: dict[str, Any], padding: tuple[int, int]
) -> None:
    """Of one side only, or to whole windows, becomes padding of both."""
    made = node(kind, "x", "y", out, **{"kernel": (3, 3), "clamps": True, **settings})
    assert graph_of(made).nodes[0].pair("padding") == padding


def test_names_are_made_valid_and_distinct() -> None:
    graph = graph_of(conv("x", "net:0", name="stage"), conv("net:0", "net.0", name="stage"))
    assert [(one.name, one.output) for one in graph.nodes] == [("stage", "net.0"), ("stage.2", "net.0.2")]


def test_what_has_no_form_is_told_by_name() -> None:
    nodes = (
        node("softmax", "x", "s", IMAGE, name="attention", axes=(3,)),
        node("slice", "s", "every second", (1, 8, 12, 8), is_contiguous=False, axes=(3,)),
        node("unknown", "s", "u", IMAGE, reason="nobody knows"),
        *(node("softmax", "u", f"t{number}", IMAGE, axes=(3,)) for number in range(4)),
    )
    with pytest.raises(RunError) as caught:
        graph_of(*nodes)
    assert str(caught.value) == (
        "error: no fixed-point graph: `softmax` at `attention`, `t0`, `t1` and 2 more (HBIR has no such "
        "operation); `slice` at `every second` (HBIR takes neighbours along one axis); `unknown` at `u` "
        "(nobody knows)\nhint: an estimate without a schedule takes it"
    )


def test_sizes_that_no_padding_gives() -> None:
    with pytest.raises(RunError, match=r"no padding of both sides alike, up to 0, makes 7 of 12 pixels"):
        graph_of(node("avg_pool", "x", "y", (1, 8, 7, 8), kernel=(2, 2), stride=(2, 2)))


def test_a_network_without_a_result_of_its_own() -> None:
    with pytest.raises(RunError, match="has no result, or one of its inputs is one"):
        graph_of(conv("x", "y"), outputs=("x", "y"))


def test_work_is_that_of_the_estimate() -> None:
    """Batch normalisation, activation and residual are part of the convolution."""
    nodes = (
        node("conv", "x", "c", IMAGE, kernel=(3, 3), padding=(1, 1)),
        node("batch_norm", "c", "n", IMAGE, constants=((8,),) * 4),
        node("add", "n x", "s", IMAGE),
        node("clamp", "s", "y", IMAGE),
    )
    floats = FloatGraph({"x": IMAGE}, ("y",), nodes)
    assert len(network_of(floats).operations) == len(as_graph(floats).nodes) == 1
    assert as_graph(floats).nodes[0].inputs == ("x", "x")
