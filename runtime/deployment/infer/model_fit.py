"""Whether a `model.hbir.onnx` is one of this experiment."""

from __future__ import annotations

import copy
from collections.abc import Mapping

from torch import Tensor

from runtime.errors import RunError
from runtime.hbir.graph import Graph
from runtime.models.structure import BevStructure

_HINT = "name a model that was exported from this experiment as it is now"


def check_fits(graph: Graph, structure: BevStructure, inputs: Mapping[str, Tensor], place: str) -> None:
    """See that a graph takes these inputs and gives what the decoders read.

    Args:
        graph: of the file.
        structure: the model that the spec describes.
        inputs: `img` and `points` of one sample, real numbers.
        place: the file, for messages.

    Raises:
        RunError: the file is the model of another experiment.
    """
    expected = {name: tuple(value.shape) for name, value in inputs.items()}
    found = {tensor.name: tensor.shape for tensor in graph.inputs}
    if problem := _difference("reads", found, expected):
        raise RunError(problem, place=place, hint=_HINT)
    # Shapes without a computation: tensors of the device `meta` hold no values.
    shadow = copy.deepcopy(structure).to("meta").eval()
    raw = shadow.raw_outputs(**{name: value.to("meta") for name, value in inputs.items()})
    results = {name: graph.types[name].shape for name in graph.outputs}
    if problem := _difference("gives", results, {name: tuple(value.shape) for name, value in raw.items()}):
        raise RunError(problem, place=place, hint=_HINT)


def _difference(
    verb: str, found: Mapping[str, tuple[int, ...]], expected: Mapping[str, tuple[int, ...]]
) -> str | None:
    """The first difference between the tensors of the file and those of the experiment."""
    for name in {**expected, **found}:
        if found.get(name) != expected.get(name):
            shown, wanted = (
                "no" if shape is None else " x ".join(map(str, shape))
                for shape in (found.get(name), expected.get(name))
            )
            return f"the model {verb} {shown} `{name}`, the experiment has {wanted}"
    return None
