"""The small network with every operation, as a QDQ model."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest
from every_operation import INT16, Rules, exported
from onnx import numpy_helper
from qdq_session import in_units, run
from small_networks import random_inputs

from runtime.hbir.codes import encode
from runtime.hbir.executor import TorchExecutor
from runtime.hbir.onnx_encode import content_digest, to_onnx
from runtime.hbir.qdq.translate import to_qdq

BOTH = pytest.mark.parametrize("rules", [(), INT16], ids=["int8", "int16"])


@BOTH
def test_results_are_near(rules: Rules) -> None:
    """One code here and there, and what the next layers make of it."""
    _, graph = exported(rules)
    inputs = dict(zip(("img", "points"), random_inputs(3), strict=True))
    exact = TorchExecutor(graph)(encode(graph, inputs))
    found = run(to_qdq(graph, any_batch=True), {name: value.numpy() for name, value in inputs.items()})
    assert list(found) == list(graph.outputs)
    for name, codes in exact.items():
        units, expected = in_units(graph, name, found[name]), codes.numpy()
        assert np.abs(units - expected).max() <= 0.02 * np.abs(expected).max()


@BOTH
def test_every_tensor_is_near(rules: Rules) -> None:
    _, graph = exported(rules)
    inputs = dict(zip(("img", "points"), random_inputs(2), strict=True))
    exact = dict(TorchExecutor(graph).tensors(encode(graph, inputs)))
    model = to_qdq(graph, any_batch=True)
    tensors = [tensor for tensor in graph.tensors if tensor.dtype != "int32"]
    for tensor in tensors:
        kind = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(tensor.dtype))
        model.graph.output.append(onnx.helper.make_tensor_value_info(f"{tensor.name}:codes", kind, None))
    found = run(model, {name: value.numpy() for name, value in inputs.items()})
    for tensor in tensors:
        apart = np.abs(found[f"{tensor.name}:codes"].astype(np.int64) - exact[tensor.name].numpy())
        # int16 codes are 256 times as fine: the table of swish, straight between its entries, is off by more.
        assert apart.max() <= (2 if tensor.dtype == "int8" else 16), tensor.name


@BOTH
def test_onnxruntime_runs_it_optimised(rules: Rules) -> None:
    """How near depends on the CPU: without VNNI its int8 kernels saturate."""
    _, graph = exported(rules)
    img, points = random_inputs(1)
    feeds = {"img": img.numpy(), "points": points.numpy()}
    for any_batch in (False, True):
        found = run(to_qdq(graph, any_batch=any_batch), feeds, optimised=True)
        assert {name: value.shape for name, value in found.items()} == {
            name: graph.types[name].shape for name in graph.outputs
        }
        assert all(np.isfinite(value).all() for value in found.values())


@pytest.mark.parametrize(("rules", "opset"), [((), 17), (INT16, 21)], ids=["int8", "int16"])
def test_the_oldest_opset_that_does(rules: Rules, opset: int) -> None:
    _, graph = exported(rules)
    model = to_qdq(graph)
    assert [entry.version for entry in model.opset_import] == [opset]
    int16 = {onnx.TensorProto.INT16} & {tensor.data_type for tensor in model.graph.initializer}
    assert bool(int16) == (opset == 21)


@BOTH
def test_equal_graphs_give_equal_bytes(rules: Rules) -> None:
    _, graph = exported(rules)
    first, second = (to_qdq(graph).SerializeToString(deterministic=True) for _ in range(2))
    assert first == second


def test_names_are_kept() -> None:
    _, graph = exported()
    model = to_qdq(graph)
    names = [node.name for node in model.graph.node]
    assert len(set(names)) == len(names)
    assert {node.name for node in graph.nodes} <= set(names)
    # Every helper has a colon, which no name of the graph has.
    assert all(":" in name for name in set(names) - {node.name for node in graph.nodes})
    assert [value.name for value in model.graph.input] == ["img", "points"]
    assert [value.name for value in model.graph.output] == list(graph.outputs)


def test_it_says_what_it_is() -> None:
    _, graph = exported()
    properties = {prop.key: prop.value for prop in to_qdq(graph).metadata_props}
    assert properties["format"] == "specgen.qdq"
    assert properties["hbir_digest"] == content_digest(to_onnx(graph))
    assert json.loads(properties["inputs"]) == {
        "img": "float32, rounded to int8 codes of 0.0078125",
        "points": "float32, rounded to int16 codes of 0.00390625",
    }


def test_symmetric_int8_throughout() -> None:
    """Zero points are 0; activations have one scale, weights one for each output channel."""
    _, graph = exported()
    model = to_qdq(graph)
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    convs = [node for node in graph.nodes if node.op == "conv"]
    for node in model.graph.node:
        if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            scale, zero = (constants[name] for name in node.input[1:])
            assert scale.shape == zero.shape and (scale > 0).all() and not zero.any()
            assert zero.dtype == (np.int32 if node.name.endswith(":bias") else np.int8)
    for conv in convs:
        channels = conv.constants["weight"].shape[0]
        assert constants[f"{conv.name}:weight_scale"].shape == (channels,)
        assert np.array_equal(constants[f"{conv.name}:weight_codes"], conv.constants["weight"].array)


def test_weight_scales_are_what_the_integers_stand_for() -> None:
    _, graph = exported()
    model = to_qdq(graph)
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for node in graph.nodes:
        if node.op != "conv" or "multiplier" not in node.constants:
            continue
        source, made = graph.types[node.inputs[0]].scale[0], graph.types[node.output].scale[0]
        implied = constants[f"{node.name}:weight_scale"].astype(np.float64) * source / made
        factor = node.codes("multiplier") * 2.0 ** -node.codes("shift")
        np.testing.assert_allclose(implied, factor, rtol=2.0**-23)
        bias = constants[f"{node.name}:bias_scale"].astype(np.float64) / made
        np.testing.assert_allclose(bias, factor, rtol=2.0**-23)
