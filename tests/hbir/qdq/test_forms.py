"""Which operators are taken where there is a choice."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from onnx import numpy_helper
from qdq_session import in_units, real_inputs, run

from runtime.errors import RunError
from runtime.hbir.graph import Attribute, Graph, Node
from runtime.hbir.ops.single_node import random_codes
from runtime.hbir.qdq.qdq_file import write_qdq
from runtime.hbir.qdq.translate import to_qdq
from runtime.hbir.reference_executor import ReferenceExecutor
from runtime.hbir.tensor_type import Constant, DType, Shape, TensorType
from runtime.hbir.validate import validate
from runtime.quantization.arithmetic import lookup


def one_node(
    op: str,
    shape: Shape,
    made: Shape,
    attributes: Mapping[str, Attribute],
    constants: Mapping[str, Constant] | None = None,
    *,
    dtype: DType = "int8",
    scales: tuple[float, float] = (0.5, 0.5),
) -> Graph:
    x = TensorType("x", dtype, shape, scales[:1])
    y = TensorType("y", dtype, made, scales[1:])
    return validate(Graph((x,), (Node("part", op, ("x",), "y", attributes, constants or {}),), (y,), ("y",)))


def operators(graph: Graph) -> set[str]:
    return {node.op_type for node in to_qdq(graph).graph.node} - {"QuantizeLinear", "DequantizeLinear"}


def apart(graph: Graph) -> float:
    """The largest difference in codes, for random and extreme ones."""
    x = graph.inputs[0]
    largest = 0.0
    for seed in range(8):
        codes = {"x": random_codes(np.random.default_rng(seed), x.dtype, x.shape)}
        exact = ReferenceExecutor(graph)(codes)["y"]
        real = run(to_qdq(graph), real_inputs(graph, codes))["y"]
        largest = max(largest, float(np.abs(np.rint(in_units(graph, "y", real)) - exact).max()))
    return largest


def bilinear(shape: Shape, size: tuple[int, int], dtype: DType, gain: float = 1.0) -> Graph:
    top = np.iinfo(dtype)
    exponent = int(np.floor(np.log2(gain)))
    multiplier, shift = round(gain * 2.0 ** (14 - exponent)), 30 - exponent
    attributes: dict[str, Attribute] = {
        **{"size": size, "multiplier": multiplier, "shift": shift},
        **{"lo": int(top.min), "hi": int(top.max)},
    }
    return one_node("resize_bilinear", shape, (*shape[:2], *size), attributes, dtype=dtype)


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        pytest.param(bilinear((1, 2, 5, 7), (10, 28), "int8"), {"Resize"}, id="weights are exact"),
        pytest.param(bilinear((1, 2, 5, 7), (10, 28), "int16"), {"Resize"}, id="exact, int16"),
        pytest.param(bilinear((1, 2, 5, 7), (15, 11), "int8"), {"Resize"}, id="less than a code"),
        pytest.param(bilinear((1, 2, 5, 7), (15, 11), "int8", 1.5), {"MatMul"}, id="a code and more"),
        pytest.param(bilinear((1, 2, 5, 7), (15, 11), "int16"), {"MatMul"}, id="int16"),
    ],
)
def test_bilinear(graph: Graph, expected: set[str]) -> None:
    assert operators(graph) == expected
    assert apart(graph) <= 1


@pytest.mark.parametrize(
    ("size", "expected"),
    [((10, 7), {"Resize"}), ((5, 21), {"Resize"}), ((7, 7), {"Gather"}), ((3, 2), {"Gather"})],
)
def test_nearest(size: tuple[int, int], expected: set[str]) -> None:
    graph = one_node("resize_nearest", (1, 2, 5, 7), (1, 2, *size), {"size": size})
    assert operators(graph) == expected
    assert apart(graph) == 0


def table_graph(function: lookup.Function, dtype: DType, scales: tuple[float, float]) -> Graph:
    info = np.iinfo(dtype)
    formats = {"in_bits": info.bits, "out_bits": info.bits, "lo": int(info.min), "hi": int(info.max)}
    table = lookup.table(function, in_scale=scales[0], out_scale=scales[1], **formats)
    bounds: dict[str, Attribute] = {"lo": int(info.min), "hi": int(info.max)}
    constants = {"table": Constant.of(table, dtype)}
    return one_node("lookup", (1, 4, 5, 6), (1, 4, 5, 6), bounds, constants, dtype=dtype, scales=scales)


@pytest.mark.parametrize(
    ("function", "dtype", "scales", "expected"),
    [
        (lookup.sigmoid, "int8", (0.06, 1 / 127), {"Sigmoid"}),
        (lookup.silu, "int8", (0.06, 0.05), {"Sigmoid", "Mul"}),
        (lookup.sigmoid, "int16", (1e-5, 1e-3), {"Sigmoid"}),
        # Straight between entries that are far apart, the table is another function.
        (lookup.sigmoid, "int16", (1e-3, 1 / 32767), {"Cast", "Add", "Gather"}),
        (np.tanh, "int8", (0.06, 1 / 127), {"Cast", "Add", "Gather"}),
    ],
)
def test_functions_are_recognised(
    function: lookup.Function, dtype: DType, scales: tuple[float, float], expected: set[str]
) -> None:
    graph = table_graph(function, dtype, scales)
    assert operators(graph) == expected
    assert apart(graph) <= (0 if "Gather" in expected else 1)


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [((-128, 127), set()), ((0, 127), {"Relu"}), ((0, 90), {"Clip"}), ((-128, 126), {"Clip"})],
)
def test_bounds(bounds: tuple[int, int], expected: set[str]) -> None:
    attributes: dict[str, Attribute] = {
        **{"kernel": (2, 2), "stride": (1, 1), "multiplier": 2**14, "shift": 15},
        **{"lo": bounds[0], "hi": bounds[1]},
    }
    graph = one_node("avg_pool", (1, 2, 5, 7), (1, 2, 4, 6), attributes)
    assert operators(graph) == {"AveragePool"} | expected
    assert apart(graph) <= 1


def test_an_input_that_does_not_count_is_left_out() -> None:
    x, y = (TensorType(name, "int8", (1, 2, 3, 4), (0.5,)) for name in "xy")
    attributes: dict[str, Attribute] = {"multipliers": (2**14, 0), "shift": 14, "lo": -128, "hi": 127}
    total = TensorType("sum", "int8", (1, 2, 3, 4), (0.5,))
    graph = validate(Graph((x, y), (Node("sum", "add", ("x", "y"), "sum", attributes),), (total,), ("sum",)))
    model = to_qdq(graph)
    constants = [
        numpy_helper.to_array(tensor) for tensor in model.graph.initializer if "scale" in tensor.name
    ]
    assert constants and all((scale > 0).all() for scale in constants)
    codes = {name: random_codes(np.random.default_rng(0), "int8", (1, 2, 3, 4)) for name in "xy"}
    found = run(model, real_inputs(graph, codes))["sum"]
    assert np.array_equal(found / 0.5, codes["x"])


def test_a_graph_that_is_not_well_formed_is_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    graph = bilinear((1, 2, 5, 7), (10, 28), "int8")
    broken = Graph(graph.inputs, graph.nodes, graph.tensors, ("z",))
    with pytest.raises(RunError, match="are not what the nodes make"):
        write_qdq(tmp_path / "model.qdq.onnx", broken)
    assert not list(tmp_path.iterdir())
