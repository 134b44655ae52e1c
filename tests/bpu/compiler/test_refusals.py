"""What the compiler refuses, word for word."""

from __future__ import annotations

import pytest
from chain_graph import chain
from small_chips import small_chip

from runtime.bpu.compiler import CompilerOptions, compile_graph
from runtime.bpu.march import load_march
from runtime.errors import RunError
from runtime.hbir.graph import Graph, Node
from runtime.hbir.tensor_type import TensorType


def test_a_chip_that_is_too_small() -> None:
    with pytest.raises(RunError) as caught:
        compile_graph(chain(2), small_chip("bayes-e", 1024))
    assert caught.value.message == (
        "the node `conv1` (`conv`) needs 3296 bytes on the chip for its smallest part, bayes-e has 1024"
    )
    assert caught.value.hint == "smaller maps, fewer channels, or another march"


@pytest.mark.parametrize("layers", [1, 2])
def test_the_bytes_that_it_names_are_enough_and_no_fewer_are(layers: int) -> None:
    """Parts of some rows and some channels: those in the middle need rows above and below."""
    compile_graph(chain(layers), small_chip("bayes-e", 3296))
    with pytest.raises(
        RunError, match="needs 3296 bytes on the chip for its smallest part, bayes-e has 3295"
    ):
        compile_graph(chain(layers), small_chip("bayes-e", 3295))


def test_an_operation_that_the_march_does_not_run() -> None:
    x = TensorType("x", "int8", (1, 2, 3, 4), (1.0,))
    y = TensorType("y", "int8", (1, 24), (1.0,))
    graph = Graph((x,), (Node("flat", "reshape", ("x",), "y", {"shape": (24,)}),), (y,), ("y",))
    with pytest.raises(RunError) as caught:
        compile_graph(graph, load_march("bernoulli2"))
    assert caught.value.message.startswith("`reshape` is not supported on bernoulli2")
    assert caught.value.place == "node `flat`"
    assert caught.value.hint == "the stage `check` says which operations do not run there, and why"


def test_a_limit_of_the_march() -> None:
    x = TensorType("x", "int8", (1, 1, 600, 600), (1.0,))
    y = TensorType("y", "int8", (1, 1, 2, 2), (1.0,))
    window = {"kernel": (300, 300), "stride": (300, 300), "padding": (0, 0)}
    graph = Graph((x,), (Node("pool", "max_pool", ("x",), "y", window),), (y,), ("y",))
    with pytest.raises(RunError) as caught:
        compile_graph(graph, load_march("bayes"))
    assert "is 300, must be at most 256" in caught.value.message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"optimization_level": 3}, "`optimization_level` is 3, expected 0, 1 or 2"),
        ({"objective": "size"}, "`objective` is 'size', expected `latency` or `ddr`"),
        ({"row_parts": 0}, "`row_parts` is 0, expected at least 1"),
        ({"channel_parts": -1}, "`channel_parts` is -1, expected at least 1"),
    ],
)
def test_options(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(RunError) as caught:
        CompilerOptions(**arguments)  # type: ignore[arg-type]
    assert caught.value.message == message
