"""Running QDQ models with onnxruntime, on codes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import ModelProto

from runtime.hbir.graph import Graph


def run(model: ModelProto, inputs: Mapping[str, NDArray], *, optimised: bool = False) -> dict[str, NDArray]:
    """float32 results by name; without optimisation the arithmetic is that of floating point on every CPU."""
    levels = onnxruntime.GraphOptimizationLevel
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    options.graph_optimization_level = levels.ORT_ENABLE_ALL if optimised else levels.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, dict(inputs)), strict=True))


def real_inputs(graph: Graph, codes: Mapping[str, NDArray]) -> dict[str, NDArray]:
    """What codes of the inputs stand for, float32."""
    return {tensor.name: (codes[tensor.name] * tensor.scale[0]).astype(np.float32) for tensor in graph.inputs}


def in_units(graph: Graph, name: str, real: NDArray) -> NDArray[np.float64]:
    """Real results in codes or units of the accumulator."""
    scale = np.array(graph.types[name].scale)
    return real / (scale.reshape(-1, *[1] * (real.ndim - 2)) if len(scale) > 1 else scale)
