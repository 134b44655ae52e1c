"""Float ONNX files: shapes and windows as the standard has them, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from onnx_graphs import integers, model, weights

from runtime.bpu.estimate.network_file import network_of_file
from runtime.bpu.estimate.onnx_reading.network import network_of_onnx, operations_of_onnx
from runtime.bpu.operation import Operation
from runtime.errors import RunError

node = helper.make_node
IMAGE = {"x": (1, 8, 20, 30)}


def operations(*nodes: onnx.NodeProto, output: str = "y", **constants: np.ndarray) -> list[Operation]:
    return operations_of_onnx(model(nodes, inputs=IMAGE, outputs=[output], constants=constants))


def test_same_padding_is_computed() -> None:
    (conv,) = operations(
        node("Conv", ["x", "w"], ["y"], auto_pad="SAME_UPPER", strides=[2, 2], kernel_shape=[3, 3]),
        w=weights(4, 8, 3, 3),
    )
    assert conv.out_shape == (1, 4, 10, 15)
    assert (conv.kernel, conv.stride, conv.padding) == ((3, 3), (2, 2), (1, 1))


def test_bias_of_a_matrix_product_is_folded() -> None:
    found = operations(
        node("GlobalAveragePool", ["x"], ["p"]),
        node("Flatten", ["p"], ["f"]),
        node("MatMul", ["f", "w"], ["m"]),
        node("Add", ["m", "b"], ["a"]),
        node("Relu", ["a"], ["y"]),
        w=weights(8, 5),
        b=weights(5),
    )
    assert [(one.op, one.out_shape) for one in found] == [("avg_pool", (1, 8, 1, 1)), ("linear", (1, 5))]
    assert found[0].kernel == (20, 30)


def test_quantised_models_are_what_they_quantise() -> None:
    """QDQ, as `specgen export` writes it: the same operations as in floating point."""
    steps = {"s": np.array(0.5, dtype=np.float32), "z": np.array(0, dtype=np.int8)}
    quantised = operations(
        node("QuantizeLinear", ["x", "s", "z"], ["x_codes"]),
        node("DequantizeLinear", ["x_codes", "s", "z"], ["x_real"]),
        node("DequantizeLinear", ["w_codes", "s", "z"], ["w"]),
        node("Conv", ["x_real", "w"], ["c"], name="conv"),
        node("Relu", ["c"], ["r"]),
        node("QuantizeLinear", ["r", "s", "z"], ["r_codes"]),
        node("DequantizeLinear", ["r_codes", "s", "z"], ["y"]),
        w_codes=np.ones((4, 8, 3, 3), dtype=np.int8),
        **steps,
    )
    plain = operations(
        node("Conv", ["x", "w"], ["c"], name="conv"), node("Relu", ["c"], ["y"]), w=weights(4, 8, 3, 3)
    )
    assert quantised == plain and len(plain) == 1


def test_shapes_that_the_graph_computes() -> None:
    """As exporters write `x.view(x.shape[0], -1)`; the constants that follow are none of the operations."""
    found = operations(
        node("Shape", ["x"], ["s"]),
        node("Gather", ["s", "zero"], ["n"]),
        node("Unsqueeze", ["n", "axis"], ["u"]),
        node("Concat", ["u", "rest"], ["t"], axis=0),
        node("Reshape", ["x", "t"], ["y"]),
        zero=np.array(0, dtype=np.int64),
        axis=integers(0),
        rest=integers(-1),
    )
    assert [(one.op, one.out_shape) for one in found] == [("reshape", (1, 4800))]


def test_split_gives_each_part() -> None:
    nodes = [node("Split", ["x"], ["a", "b"], axis=2), node("Mul", ["a", "b"], ["y"])]
    found = operations_of_onnx(model(nodes, inputs=IMAGE, outputs=["y"], opset=11))
    assert [(one.op, one.out_shape[2]) for one in found] == [("slice", 10), ("slice", 10), ("multiply", 10)]


def test_what_a_function_is_made_of() -> None:
    inner = [node("Conv", ["a", "b"], ["c"], kernel_shape=[1, 1]), node("Relu", ["c"], ["d"])]
    function = helper.make_function(
        "local", "ConvRelu", ["a", "b"], ["d"], inner, [helper.make_opsetid("", 17)]
    )
    whole = model(
        [node("ConvRelu", ["x", "w"], ["y"], domain="local")],
        inputs=IMAGE,
        outputs=["y"],
        constants={"w": weights(4, 8, 1, 1)},
    )
    whole.functions.append(function)
    whole.opset_import.append(helper.make_opsetid("local", 1))
    assert [one.op for one in operations_of_onnx(whole)] == ["conv"]


def test_an_input_without_sizes_is_asked_for() -> None:
    dynamic = model([node("Relu", ["x"], ["y"])], inputs={"x": ("batch", 3, 8, 8)}, outputs=["y"])
    with pytest.raises(RunError) as error:
        network_of_onnx(dynamic)
    assert str(error.value) == (
        "error: the input `x` has no fixed shape: (?, 3, 8, 8)\n"
        "hint: say which one is meant, as in `--input-shape x:1,3,8,8`"
    )
    found = network_of_onnx(dynamic, input_shapes={"x": (2, 3, 16, 16)})
    assert found.operations[0].out_shape == (2, 3, 16, 16)
    assert found.run == "`x` 2x3x16x16"
    with pytest.raises(RunError, match="no input is named `z`"):
        network_of_onnx(dynamic, input_shapes={"z": (1,)})


def test_unknown_operators_are_listed() -> None:
    nodes = [node("NonMaxSuppression", ["x"], ["a"], domain="vendor"), node("Relu", ["x"], ["y"])]
    whole = model(nodes, inputs=IMAGE, outputs=["y", "a"])
    whole.opset_import.append(helper.make_opsetid("vendor", 1))
    (left_out,) = network_of_onnx(whole).left_out
    assert (left_out.source, left_out.reason) == ("vendor.NonMaxSuppression", "its shapes cannot be told")
    with pytest.raises(RunError, match=r"1 `vendor\.NonMaxSuppression` is not in the model"):
        operations_of_onnx(whole)


def test_branches_are_listed() -> None:
    branch = helper.make_graph([node("Relu", ["x"], ["r"])], "b", [], [_value("r")])
    nodes = [node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)]
    whole = model(nodes, inputs=IMAGE, outputs=["y"], constants={"c": np.array(True)})
    assert [one.source for one in network_of_onnx(whole).left_out] == ["If"]


def test_weights_in_other_files_are_not_opened(tmp_path: Path) -> None:
    whole = model([node("Conv", ["x", "w"], ["y"])], inputs=IMAGE, outputs=["y"])
    outside = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4, 8, 3, 3])
    outside.data_location = TensorProto.EXTERNAL
    outside.external_data.add(key="location", value="/no/such/weights")
    whole.graph.initializer.append(outside)
    path = tmp_path / "model.onnx"
    path.write_bytes(whole.SerializeToString())
    _, network = network_of_file(path)
    assert [one.out_shape for one in network.operations] == [(1, 4, 18, 28)]


def test_sizes_beyond_any_chip_are_refused() -> None:
    huge = model([node("Relu", ["x"], ["y"])], inputs={"x": (2**40, 2**40)}, outputs=["y"])
    with pytest.raises(RunError, match="has the shape 1099511627776x1099511627776: at most"):
        network_of_onnx(huge)


def test_constants_are_not_made_as_large_as_a_file_asks() -> None:
    nodes = [
        node("ConstantOfShape", ["s"], ["c"]),
        node("Shape", ["c"], ["d"]),
        node("Range", ["zero", "many", "one"], ["r"]),
        node("Reshape", ["x", "r"], ["y"]),
    ]
    scalars = {"zero": 0, "one": 1, "many": 2**40}
    constants = {name: np.array(value, dtype=np.int64) for name, value in scalars.items()}
    whole = model(nodes, inputs=IMAGE, outputs=["y"], constants={**constants, "s": integers(2**20, 2**19)})
    with pytest.raises(RunError):
        operations_of_onnx(whole)


def test_functions_that_would_explode_are_refused() -> None:
    """Ten levels, each calling the one below ten times: 10 GB of nodes from a few hundred bytes."""
    whole = model([node("f9", ["x"], ["y"], domain="local")], inputs=IMAGE, outputs=["y"])
    whole.opset_import.append(helper.make_opsetid("local", 1))
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    for level in range(10):
        names = ["a", *(f"v{step}" for step in range(9)), "b"]
        below = ("Relu", "") if level == 0 else (f"f{level - 1}", "local")
        calls = [node(below[0], [names[s]], [names[s + 1]], domain=below[1]) for s in range(10)]
        whole.functions.append(helper.make_function("local", f"f{level}", ["a"], ["b"], calls, opsets))
    with pytest.raises(RunError, match="the graph and its functions have 10000000000 nodes"):
        network_of_onnx(whole)


def test_a_function_that_calls_itself_is_refused() -> None:
    whole = model([node("f", ["x"], ["y"], domain="local")], inputs=IMAGE, outputs=["y"])
    whole.opset_import.append(helper.make_opsetid("local", 1))
    call = node("f", ["a"], ["b"], domain="local")
    opsets = [helper.make_opsetid("local", 1)]
    whole.functions.append(helper.make_function("local", "f", ["a"], ["b"], [call], opsets))
    with pytest.raises(RunError, match="the function `f` calls itself"):
        network_of_onnx(whole)


def test_shapes_at_odds() -> None:
    with pytest.raises(RunError, match="its shapes do not fit each other"):
        operations(node("Conv", ["x", "w"], ["y"]), w=weights(4, 7, 3, 3, 3))


def test_a_window_without_pixels() -> None:
    with pytest.raises(RunError):
        operations(node("Conv", ["x", "w"], ["y"], strides=[0, 1]), w=weights(4, 8, 3, 3))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damaged_files_are_told_about(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Whatever bytes are changed: an estimate or a `RunError`."""
    whole = bytearray(
        model(
            [
                node("Conv", ["x", "w"], ["c"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], name="first"),
                node("Reshape", ["c", "s"], ["r"]),
                node("Softmax", ["r"], ["y"], axis=1),
            ],
            inputs=IMAGE,
            outputs=["y"],
            constants={"w": weights(2, 8, 3, 3)[..., :1], "s": integers(1, 2, -1)},
        ).SerializeToString()
    )
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "model.onnx"
    path.write_bytes(whole)
    try:
        network_of_file(path)
    except RunError as error:
        assert error.place


def test_no_onnx(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    with pytest.raises(RunError, match="no such file"):
        network_of_file(path)
    path.write_bytes(b"PK\x03\x04 no model")
    with pytest.raises(RunError, match=r"no readable ONNX file|no ONNX model"):
        network_of_file(path)


def _value(name: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
