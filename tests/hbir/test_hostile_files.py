"""Files that are damaged, foreign or made to harm: one clear sentence, whatever is wrong."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from every_operation import exported
from onnx import ModelProto, TensorProto, helper

from runtime.errors import RunError
from runtime.hbir.onnx_decode import from_onnx
from runtime.hbir.onnx_encode import content_digest, to_bytes, to_onnx
from runtime.hbir.onnx_file import read_graph, write_graph
from runtime.hbir.tensor_type import Constant


@pytest.fixture(scope="module")
def content() -> bytes:
    return to_bytes(to_onnx(exported()[1]))


def read(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    with pytest.raises(RunError) as caught:
        read_graph(path)
    assert caught.value.place == str(path)
    assert len(caught.value.message) < 500


def test_truncated_anywhere(tmp_path: Path, content: bytes) -> None:
    for length in np.linspace(0, len(content) - 1, 60, dtype=int):
        read(tmp_path, content[:length])


def test_any_damaged_byte(tmp_path: Path, content: bytes) -> None:
    rng = np.random.default_rng(0)
    for position in rng.integers(0, len(content), 200):
        damaged = bytearray(content)
        damaged[position] ^= 1 << rng.integers(8)
        path = tmp_path / "bad.onnx"
        path.write_bytes(damaged)
        with pytest.raises(RunError):
            read_graph(path)


@pytest.mark.parametrize("content", [b"", b"\x00" * 1000, b"PK\x03\x04 a zip", "übel".encode() * 999])
def test_something_else(tmp_path: Path, content: bytes) -> None:
    read(tmp_path, content)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no such file"):
        read_graph(tmp_path / "missing.onnx")
    with pytest.raises(RunError, match="no such file"):
        read_graph(tmp_path)


def test_another_onnx_model(tmp_path: Path) -> None:
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "other", [x], [y])
    path = tmp_path / "other.onnx"
    onnx.save(helper.make_model(graph), path)
    with pytest.raises(RunError, match="an ONNX model that is no HBIR"):
        read_graph(path)


def test_another_version() -> None:
    model = sealed(lambda model: helper.set_model_props(model, {"format": "specgen.hbir", "version": "9"}))
    with pytest.raises(RunError, match="HBIR of version '9', this program reads version 1"):
        from_onnx(model)


def sealed(change: Callable[[ModelProto], object]) -> ModelProto:
    """A model that was changed by somebody who knows how to make a digest."""
    model = to_onnx(exported()[1])
    change(model)
    model.metadata_props.add(key="digest", value=content_digest(model))
    return model


def huge_input(model: ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 2**40


def wrapping_input(model: ModelProto) -> None:
    for dim in model.graph.input[0].type.tensor_type.shape.dim:
        dim.dim_value = 2**32  # a product of 2^128, which is 0 in 64 bits


def huge_constant(model: ModelProto) -> None:
    del model.graph.initializer[0].dims[:]
    model.graph.initializer[0].dims.extend([2**32, 2**32])
    model.graph.initializer[0].raw_data = b""


def negative_size(model: ModelProto) -> None:
    model.graph.initializer[0].dims[0] = -1


def cycle(model: ModelProto) -> None:
    model.graph.node[0].input[0] = model.graph.node[5].output[0]


def missing_tensor(model: ModelProto) -> None:
    model.graph.node[4].input[0] = "nowhere"


def missing_constant(model: ModelProto) -> None:
    del model.graph.initializer[0]


def missing_result(model: ModelProto) -> None:
    model.graph.output[0].name = "nowhere"


def made_twice(model: ModelProto) -> None:
    model.graph.node[3].output[0] = model.graph.node[2].output[0]


def outside(model: ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../etc/passwd")


def foreign_node(model: ModelProto) -> None:
    model.graph.node[0].op_type = "Relu"
    model.graph.node[0].domain = ""


def other_body(model: ModelProto) -> None:
    function = next(f for f in model.functions if f.name == "MaxPool")
    function.node[1].op_type = "AveragePool"


def other_table(model: ModelProto) -> None:
    tensor = next(t for t in model.graph.initializer if t.name == "nearest:rows")
    tensor.raw_data = tensor.raw_data[4:] + tensor.raw_data[:4]


def large_multiplier(model: ModelProto) -> None:
    tensor = next(t for t in model.graph.initializer if t.name == "stem:multiplier")
    tensor.raw_data = np.full(8, 3, dtype="<i2").tobytes()


def large_shift(model: ModelProto) -> None:
    tensor = next(t for t in model.graph.initializer if t.name == "stem:shift")
    tensor.raw_data = np.full(8, 100, dtype="<i1").tobytes()


def large_bias(model: ModelProto) -> None:
    tensor = next(t for t in model.graph.initializer if t.name == "stem:bias")
    tensor.raw_data = np.full(8, 2**31 - 1, dtype="<i4").tobytes()


def no_scale(model: ModelProto) -> None:
    helper.set_model_props(model, {"format": "specgen.hbir", "version": "1", "scales": "{}"})


def deep_scales(model: ModelProto) -> None:
    text = "[" * 100_000
    helper.set_model_props(model, {"format": "specgen.hbir", "version": "1", "scales": text})


def infinite_scale(model: ModelProto) -> None:
    text = '{"img": [Infinity]}'
    helper.set_model_props(model, {"format": "specgen.hbir", "version": "1", "scales": text})


def many_nodes(model: ModelProto) -> None:
    model.graph.node.extend([model.graph.node[0]] * 2**17)


def wrong_type(model: ModelProto) -> None:
    model.graph.node[0].attribute[0].type = onnx.AttributeProto.FLOAT


def wide_window(model: ModelProto) -> None:
    for attribute in model.graph.node[0].attribute:
        if attribute.name in ("padding", "dilation", "pads"):
            attribute.ints[:] = [2**40] * len(attribute.ints)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (huge_input, "at most 268435456 elements"),
        (wrapping_input, "at most 268435456 elements"),
        (huge_constant, "has the type"),
        (negative_size, "has the type"),
        (cycle, "which nothing makes before it"),
        (missing_tensor, "reads `nowhere`, which nothing makes before it"),
        (missing_constant, "reads `stem:weight`, which nothing makes"),
        (missing_result, "has no type"),
        (made_twice, "names of tensors repeat"),
        (outside, "lies outside of the file"),
        (foreign_node, "which is no operation"),
        (other_body, "functions or constants that this program does not write"),
        (other_table, "functions or constants that this program does not write"),
        (large_multiplier, "has multipliers outside of 16384 to 32767"),
        (large_shift, "has shifts outside of 1 to 47"),
        (large_bias, "the accumulator of `stem` can reach"),
        (no_scale, "has the scale"),
        (deep_scales, "scales of the tensors are not readable"),
        (infinite_scale, "has the scale"),
        (many_nodes, "nodes, at most 65536 are possible"),
        (wrong_type, "is no integer"),
        (wide_window, "has stride 2, padding 1099511627776"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_made_to_harm(change: Callable[[ModelProto], None], message: str) -> None:
    with pytest.raises(RunError, match=message):
        from_onnx(sealed(change))


def test_memory_stays_bounded(tmp_path: Path) -> None:
    """Huge sizes are refused within 64 MiB more than the imports take."""
    path = tmp_path / "huge.onnx"
    path.write_bytes(sealed(huge_constant).SerializeToString())
    program = (
        "import resource, sys, pathlib\n"
        "from runtime.hbir.onnx_file import read_graph\n"
        "from runtime.errors import RunError\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n"
        "    read_graph(pathlib.Path(sys.argv[1]))\n"
        "except RunError:\n"
        "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert int(done.stdout) < 64 * 1024  # KiB


def test_a_graph_that_is_not_well_formed_is_not_written(tmp_path: Path) -> None:
    _, graph = exported()
    first = graph.nodes[0]
    weights = {**first.constants, "bias": Constant.of(np.zeros(3, dtype=np.int64), "int32")}
    broken = replace(graph, nodes=(replace(first, constants=weights), *graph.nodes[1:]))
    with pytest.raises(RunError, match="has `bias` of \\(3,\\) for 8 channels"):
        write_graph(tmp_path / "x.onnx", broken)
    assert not list(tmp_path.iterdir())
