"""Small ONNX models, node by node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

Size = int | str


def model(
    nodes: Sequence[NodeProto],
    *,
    inputs: Mapping[str, Sequence[Size]],
    outputs: Sequence[str],
    constants: Mapping[str, np.ndarray] | None = None,
    opset: int = 17,
) -> ModelProto:
    """A model whose results have whatever shape follows."""
    graph = helper.make_graph(
        list(nodes),
        "test",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, list(size)) for name, size in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        initializer=[numpy_helper.from_array(value, name) for name, value in (constants or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])


def weights(*shape: int) -> np.ndarray:
    return np.zeros(shape, dtype=np.float32)


def integers(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)
