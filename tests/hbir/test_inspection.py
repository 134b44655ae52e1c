"""The document and the table of a graph, against the graph itself and counts made by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from every_operation import exported
from random_graphs import random_graph

from runtime.hbir.graph import Graph, Node
from runtime.hbir.inspection.graph_document import graph_document
from runtime.hbir.inspection.graph_table import graph_text
from runtime.hbir.inspection.live_bytes import peak_bytes
from runtime.hbir.inspection.short_count import short_count
from runtime.hbir.onnx_file import write_graph
from runtime.hbir.tensor_type import TensorType

NODE = ["name", "op", "inputs", "output", "attributes", "constants", "macs", "bytes"]
TENSOR = ["name", "dtype", "shape", "scale"]
BYTES = ["read", "constants", "written"]
TOTALS = ["nodes", "macs", "bytes", "parameters", "activation_bytes", "operations", "widest"]


def test_layout_of_the_document() -> None:
    document = graph_document(exported()[1])
    assert list(document) == ["layout", "format", "inputs", "outputs", "nodes", "totals"]
    assert document["layout"] == 1
    assert list(document["format"]) == ["name", "version", "digest"]
    assert list(document["totals"]) == TOTALS
    assert list(document["totals"]["activation_bytes"]) == ["all", "peak"]
    for tensor in (*document["inputs"], *document["outputs"]):
        assert list(tensor) == TENSOR
    for node in document["nodes"]:
        assert list(node) == NODE
        assert list(node["bytes"]) == BYTES
        assert [list(tensor) for tensor in (*node["inputs"], node["output"])] == [TENSOR] * (
            len(node["inputs"]) + 1
        )
        for constant in node["constants"].values():
            assert list(constant) == ["dtype", "shape", "bytes"]
    for sums in document["totals"]["operations"].values():
        assert list(sums) == ["nodes", "macs", "bytes"]
    for tensor in document["totals"]["widest"]:
        assert list(tensor) == [*TENSOR, "bytes"]
    assert json.loads(json.dumps(document)) == document


def test_one_node_in_full() -> None:
    """Two views of 12 x 20 pixels; the stem makes 8 channels of 6 x 10 from 3 with a 3 x 3 kernel."""
    _, graph = exported()
    stem = graph_document(graph)["nodes"][0]
    assert stem["name"] == "stem" and stem["op"] == "conv"
    assert stem["inputs"] == [{"name": "img", "dtype": "int8", "shape": [2, 3, 12, 20], "scale": [1 / 128]}]
    assert stem["output"]["shape"] == [2, 8, 6, 10]
    assert stem["attributes"]["stride"] == [2, 2] and stem["attributes"]["groups"] == 1
    assert stem["constants"]["weight"] == {"dtype": "int8", "shape": [8, 3, 3, 3], "bytes": 216}
    assert stem["macs"] == 2 * 8 * 6 * 10 * 27
    assert stem["bytes"] == {"read": 2 * 3 * 12 * 20, "constants": 216 + 8 * 7, "written": 2 * 8 * 6 * 10}


def test_totals_are_sums_of_the_nodes() -> None:
    for graph in (exported()[1], *(random_graph(np.random.default_rng(seed)) for seed in range(4))):
        document = graph_document(graph)
        nodes, totals = document["nodes"], document["totals"]
        parts = totals["operations"].values()
        assert totals["nodes"] == len(nodes) == sum(part["nodes"] for part in parts)
        assert totals["macs"] == sum(node["macs"] for node in nodes) == sum(part["macs"] for part in parts)
        for key in BYTES:
            assert totals["bytes"][key] == sum(node["bytes"][key] for node in nodes)
        weights = [node["constants"].get(key) for node in nodes for key in ("weight", "bias")]
        assert totals["parameters"] == sum(int(np.prod(x["shape"])) for x in weights if x)
        widest = [tensor["bytes"] for tensor in totals["widest"]]
        assert widest == sorted((tensor.bytes for tensor in graph.types.values()), reverse=True)[:5]


def test_the_digest_is_that_of_the_file(tmp_path: Path) -> None:
    _, graph = exported()
    assert graph_document(graph)["format"]["digest"] == write_graph(tmp_path / "x.onnx", graph)


def chain(*bytes_made: int) -> Graph:
    """Flips behind each other, and an `add` of the first and the last; only sizes matter here."""
    names = ["img", *(f"t{at}" for at in range(len(bytes_made)))]
    types = [TensorType(name, "int8", (1, size), (1.0,)) for name, size in zip(names, (4, *bytes_made))]  # noqa: B905
    nodes = [Node(names[at + 1], "flip", (names[at],), names[at + 1]) for at in range(len(bytes_made))]
    last = TensorType("sum", "int8", (1, 1), (1.0,))
    join = Node("sum", "add", ("t0", names[-1]), "sum")
    return Graph((types[0],), (*nodes, join), (*types[1:], last), ("sum",))


def test_memory_at_once() -> None:
    # img 4 and t0 10 are alive at first; then t0, t1 20; t0 stays, t1 and t2 30 meet; at the end t0, t2, sum.
    assert peak_bytes(chain(10, 20, 30)) == 10 + 20 + 30
    assert peak_bytes(chain(10, 1, 1)) == 14


def test_a_tensor_that_nobody_reads_does_not_stay() -> None:
    types = [TensorType(name, "int8", (1, size), (1.0,)) for name, size in (("a", 8), ("b", 5))]
    nodes = tuple(Node(x.name, "flip", ("img",), x.name) for x in types)
    img = TensorType("img", "int8", (1, 2), (1.0,))
    assert peak_bytes(Graph((img,), nodes, tuple(types), ("b",))) == 2 + 8


@pytest.mark.parametrize(
    ("number", "text"),
    [
        *((0, "0"), (999, "999"), (1000, "1.00k"), (9994, "9.99k"), (9996, "10.0k"), (99_949, "99.9k")),
        *((99_960, "100k"), (999_499, "999k"), (999_500, "1.00M"), (37_800_000_000, "37.8G")),
        *((5 * 10**12, "5.00T"), (12_345 * 10**12, "12345T")),
    ],
)
def test_short_counts(number: int, text: str) -> None:
    assert short_count(number) == text


@pytest.mark.parametrize("width", [60, 80, 110, 200])
def test_lines_fit_and_name_every_node(width: int) -> None:
    _, graph = exported()
    lines = graph_text(graph_document(graph), width=width).splitlines()
    assert max(map(len, lines)) <= width
    table = lines[next(at for at, line in enumerate(lines) if line.startswith("node ")) :]
    first_words = [line.split()[0] for line in table if line]
    for node in graph.nodes:
        assert node.name.rpartition(".")[2] in first_words
    assert "deep" in first_words and "squeeze" in first_words  # modules of several nodes


def test_a_wide_terminal_shows_every_column() -> None:
    lines = graph_text(graph_document(exported()[1]), width=110).splitlines()
    head = next(line for line in lines if line.startswith("node "))
    columns = ["node", "op", "reads", "makes", "type", "scale", "MACs", "read", "constants", "written"]
    assert head.split() == columns
    stem = next(line for line in lines if line.startswith("stem "))
    assert stem.split()[1:5] == ["conv", "2x3x12x20", "2x8x6x10", "int8"]
    assert stem.split()[6:] == ["25.9k", "1.44k", "272", "960"]
    # A convolution with a residual reads a second map; accumulators have scales from one to the other.
    project = lines.index(next(line for line in lines if line.startswith("project ")))
    assert lines[project + 1].split() == ["2x8x6x10"]
    result = lines.index(next(line for line in lines if line.startswith("map ")))
    assert lines[result + 1].strip().startswith("…")


def test_only_the_nodes_with_most_work() -> None:
    document = graph_document(exported()[1])
    lines = graph_text(document, nodes=2, width=110).splitlines()
    start = lines.index("of 27 nodes the 2 with the most multiply-accumulates")
    assert [line.split()[0] for line in lines[start + 2 : start + 4]] == ["stem", "first"]
    assert lines[start + 4] == ""
    assert graph_text(document, nodes=1000) == graph_text(document)


def test_a_name_that_is_too_long_keeps_both_ends() -> None:
    x = TensorType("img", "int8", (1, 4), (1.0,))
    y = TensorType("y", "int8", (1, 4), (1.0,))
    node = Node("a" * 40 + "z" * 40, "flip", ("img",), "y", {"axes": (1,)})
    lines = graph_text(graph_document(Graph((x,), (node,), (y,), ("y",))), width=60).splitlines()
    row = next(line for line in lines if " flip " in line)
    assert row.startswith("aaa") and "…" in row and "zzz" in row and len(row) <= 60
