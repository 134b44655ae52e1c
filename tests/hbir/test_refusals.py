"""Programs that have no form in the graph are refused by name, not translated into something else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from runtime.errors import RunError
from runtime.hbir.export.from_program import graph_of_program
from runtime.hbir.graph import Graph
from runtime.quantization import registered_ops as ops

CODES = (0.5, 8, -128, 127)
WINDOW = ([1, 1], [0, 0], [1, 1], 1)
FACTOR = torch.full((4, 1, 1), 2.0**-8, dtype=torch.float64)
WEIGHT, BIAS = torch.ones(4, 3, 1, 1), torch.zeros(4, dtype=torch.float64)


class Program(nn.Module):
    """Codes (B, 3, 4, 6) of an input to one result."""

    def __init__(self, body: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"y": self.body(x)}


def graph_of(body: Callable[[Tensor], Tensor]) -> Graph:
    return graph_of_program(torch.export.export(Program(body), (torch.zeros(2, 3, 4, 6),), strict=False))


def between(move: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Codes, `move`, and out as real numbers."""
    return lambda x: ops.dequantise(move(ops.quantise(x, *CODES)), 0.5)


def test_what_can_be_translated() -> None:
    graph = graph_of(between(lambda x: torch.flip(x, [3])))
    assert [node.op for node in graph.nodes] == ["flip"]
    graph = graph_of(
        between(lambda x: ops.convolve(x, WEIGHT, BIAS, FACTOR, *WINDOW, *CODES)),
    )
    (node,) = graph.nodes
    assert node.codes("multiplier").tolist() == [2**14] * 4
    assert node.codes("shift").tolist() == [22] * 4


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (between(torch.sin), "`aten.sin.default` in `the model` computes outside of quantised modules"),
        (between(lambda x: x + x), "computes outside of quantised modules"),
        (lambda x: ops.dequantise(x, 0.5), "reads `x`, which is no tensor of codes"),
        (lambda x: ops.quantise(x, *CODES), "the result `y` of the model is not made by a quantised module"),
        (between(lambda x: x.flatten()), r"turns \(2, 3, 4, 6\) into \(144,\): the first axis counts maps"),
        (between(lambda x: x.transpose(0, 1)), r"orders the axes of \(2, 3, 4, 6\) as \(1, 0, 2, 3\)"),
        (between(lambda x: x[1:]), "takes 1 to 2 along axis 0"),
        (between(lambda x: x[:, :, ::2]), "HBIR has slices without gaps only"),
        (
            between(lambda x: nn.functional.max_pool2d(x, 3, 2, ceil_mode=True)),
            "has a dilation or `ceil_mode`, which HBIR's max pooling has not",
        ),
        (
            lambda x: ops.dequantise(ops.quantise(x, *CODES), 0.25),
            "takes `x` for codes of another scale",
        ),
        (
            between(lambda x: ops.quantise(x, *CODES)),
            "quantises what is no input of the network",
        ),
        (
            between(lambda x: ops.convolve(x, WEIGHT, BIAS, FACTOR * 1.00001, *WINDOW, *CODES)),
            r"rescales by numbers that are not m \* 2\^-k",
        ),
        (
            between(lambda x: ops.look_up(x, x.flatten()[:256], 8, *CODES)),
            "the first axis counts maps",
        ),
    ],
)
def test_refused(body: Callable[[Tensor], Tensor], message: str) -> None:
    with pytest.raises(RunError, match=message):
        graph_of(body)


def test_an_accumulator_has_one_reader() -> None:
    step = torch.ones(4, 1, 1, dtype=torch.float64)

    class Two(nn.Module):
        def forward(self, x: Tensor) -> dict[str, Tensor]:
            acc = ops.accumulate(ops.quantise(x, *CODES), WEIGHT, BIAS, *WINDOW)
            return {"a": ops.dequantise_channels(acc, step), "b": ops.dequantise_channels(acc, step)}

    program = torch.export.export(Two(), (torch.zeros(2, 3, 4, 6),), strict=False)
    with pytest.raises(RunError, match="an accumulator that is read more than once"):
        graph_of_program(program)
