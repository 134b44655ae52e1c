"""The first difference is found at exactly the node that was changed, and said in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from every_operation import exported
from random_graphs import random_graph
from torch import Tensor

from runtime.errors import RunError
from runtime.hbir.comparison.drawn_codes import drawn_codes
from runtime.hbir.comparison.report import difference_document, difference_text
from runtime.hbir.comparison.structural_difference import structural_difference
from runtime.hbir.comparison.traced_run import TRACES, Codes
from runtime.hbir.graph import Graph, Node
from runtime.hbir.tensor_type import Constant
from runtime.hbir.validate import validate


def codes_of(graph: Graph) -> dict[str, Tensor]:
    return drawn_codes(graph, np.random.default_rng(0))


def compared(a: Graph, b: Graph, first: str = "torch", second: str = "torch") -> dict[str, Any]:
    return difference_document(a, TRACES[first], b, TRACES[second], codes_of(a))


def changed(graph: Graph, name: str, **changes: Any) -> Graph:
    """One node with other fields, its tensor with the name that it then makes."""
    nodes = tuple(replace(node, **changes) if node.name == name else node for node in graph.nodes)
    return replace(graph, nodes=nodes)


def node_of(graph: Graph, name: str) -> Node:
    return next(node for node in graph.nodes if node.name == name)


def with_constant(graph: Graph, name: str, key: str, add: int, at: int = 0) -> Graph:
    node = node_of(graph, name)
    values = node.codes(key).copy()
    values.flat[at] += add
    constants = {**node.constants, key: Constant.of(values, node.constants[key].dtype)}
    return changed(graph, name, constants=constants)


def renamed(graph: Graph, old: str, new: str) -> Graph:
    """One node and its tensor with another name, wherever it is read."""

    def name(text: str) -> str:
        return new if text == old else text

    nodes = tuple(
        replace(x, name=name(x.name), output=name(x.output), inputs=tuple(map(name, x.inputs)))
        for x in graph.nodes
    )
    tensors = tuple(replace(x, name=name(x.name)) for x in graph.tensors)
    return replace(graph, nodes=nodes, tensors=tensors, outputs=tuple(map(name, graph.outputs)))


@pytest.mark.parametrize("second", ["onnxruntime", "reference"])
def test_executors_are_equal(second: str) -> None:
    _, graph = exported()
    found = compared(graph, graph, "torch", second)
    assert found == {
        **{"layout": 1, "equal": True, "structure": None, "first": None},
        "tensors": {"compared": 27, "all": 27},
    }
    assert difference_text(found) == "all codes are equal, 27 of 27 tensors compared"


@pytest.mark.parametrize("name", ["stem", "project", "first"])
def test_one_multiplier_is_found_at_its_node(name: str) -> None:
    _, graph = exported()
    multiplier = node_of(graph, name).codes("multiplier")
    step = -3000 if multiplier[1] > 24000 else 3000
    other = validate(with_constant(graph, name, "multiplier", step, at=1))
    found = compared(graph, other)
    first = found["first"]
    assert not found["equal"]
    assert first["node"] == name and first["unknown_inputs"] == []
    assert first["index"][1] == 1  # the channel
    assert found["structure"] == (
        f"the node `{name}` (conv): 1 of 8 values of `multiplier` differ, "
        f"first at (1,): {multiplier[1]} in A, {multiplier[1] + step} in B"
    )
    a, b = (dict(TRACES["torch"](x, codes_of(graph)))[first["tensor"]] for x in (graph, other))
    assert first["codes"] == a.size and first["differing"] == int((a != b).sum()) > 0
    assert first["values"] == (int(a[tuple(first["index"])]), int(b[tuple(first["index"])]))
    assert first["largest"] == int(np.abs(a - b).max())
    lines = difference_text(found).splitlines()
    assert lines[1] == f"the first tensor that differs: `{first['tensor']}` of the node `{name}` (conv)"
    assert lines[-1] == "  all that it reads is equal: the node itself computes otherwise"


def test_every_node_of_a_random_graph_can_be_the_one() -> None:
    """An executor that is wrong at one tensor, and from there on."""
    graph = random_graph(np.random.default_rng(1))
    for wrong in graph.nodes:

        def off(graph: Graph, inputs: Mapping[str, Tensor], wrong: Node = wrong) -> Codes:
            for name, codes in TRACES["torch"](graph, inputs):
                yield name, codes + (name == wrong.output)

        found = difference_document(graph, TRACES["torch"], graph, off, codes_of(graph))
        first = found["first"]
        assert (first["node"], first["tensor"]) == (wrong.name, wrong.output)
        assert first["differing"] == first["codes"] and first["largest"] == 1
        assert found["structure"] is None and not found["equal"]


def test_a_renamed_node_computes_the_same() -> None:
    _, graph = exported()
    found = compared(graph, renamed(graph, "stem", "root"))
    assert found["structure"] == "the node `stem` (conv) of A is `root` in B"
    assert found["first"] is None and not found["equal"]
    assert found["tensors"] == {"compared": 27, "all": 27}
    assert difference_text(found) == (
        "the graphs differ: the node `stem` (conv) of A is `root` in B\n"
        "all codes are equal, 27 of 27 tensors compared"
    )


def without(graph: Graph, name: str) -> Graph:
    """What read the tensor of a node reads what that node read."""
    gone = node_of(graph, name)
    keep = [at for at, node in enumerate(graph.nodes) if node.name != name]
    nodes = tuple(
        replace(
            graph.nodes[at],
            inputs=tuple(gone.inputs[0] if x == gone.output else x for x in graph.nodes[at].inputs),
        )
        for at in keep
    )
    return replace(graph, nodes=nodes, tensors=tuple(graph.tensors[at] for at in keep))


def test_a_missing_node() -> None:
    """All tensors but that of the lookup have a partner; the first reader is where the runs part."""
    _, graph = exported()
    other = without(graph, "deep.function")
    found = compared(graph, other)
    assert found["structure"] == "the node `deep.function` (lookup) is missing in B"
    assert found["tensors"] == {"compared": 26, "all": 27}
    first = found["first"]
    assert first["op"] in ("resize_bilinear", "resize_nearest")
    assert first["unknown_inputs"] == [node_of(graph, "deep.function").output]
    assert difference_text(found).splitlines()[-1] == (
        f"  it reads `{first['unknown_inputs'][0]}`, which B has not: look there first"
    )
    backwards = compared(other, graph)
    assert backwards["structure"] == "the node `deep.function` (lookup) is missing in A"
    assert backwards["first"]["node"] == first["node"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda g: changed(g, "pool", op="min_pool"), "the node `pool` is max_pool in A, min_pool in B"),
        (
            lambda g: changed(g, "pool", attributes={**node_of(g, "pool").attributes, "stride": (1, 2)}),
            "the node `pool` (max_pool) has stride (2, 2) in A, (1, 2) in B",
        ),
        (
            lambda g: changed(g, "pool", attributes={}),
            "the node `pool` (max_pool) has kernel (3, 3) in A, none in B",
        ),
        (
            lambda g: changed(g, "depthwise", inputs=("img",)),
            "the node `depthwise` (conv) reads `stem` in A, `img` in B",
        ),
        (
            lambda g: changed(g, "first", constants={}),
            "the node `first` (conv): only A has the constant `weight`",
        ),
        (
            lambda g: replace(g, tensors=(replace(g.tensors[0], dtype="int16"), *g.tensors[1:])),
            "the result of `stem` is int8 (2, 8, 6, 10) in A, int16 (2, 8, 6, 10) in B",
        ),
        (
            lambda g: replace(g, tensors=(replace(g.tensors[0], scale=(0.5,)), *g.tensors[1:])),
            "the result of `stem` has the scale",
        ),
        (
            lambda g: replace(g, inputs=(replace(g.inputs[0], shape=(2, 3, 12, 24)), g.inputs[1])),
            "the input `img` is int8 (2, 3, 12, 20) in A, int8 (2, 3, 12, 24) in B",
        ),
        (lambda g: replace(g, inputs=g.inputs[:1]), "only A has the input `points`"),
        (
            lambda g: replace(g, outputs=g.outputs[::-1]),
            "the results are `map`, `other`, `class` in A, `class`, `other`, `map` in B",
        ),
        (
            lambda g: replace(g, nodes=g.nodes[:-1]),
            "only A has a node `classify` (linear) behind all nodes of the other",
        ),
        (
            lambda g: replace(g, nodes=(g.nodes[1], g.nodes[0], *g.nodes[2:])),
            "the nodes have another order: `stem` in A, `depthwise` in B",
        ),
    ],
)
def test_structures_in_words(change: Any, words: str) -> None:
    _, graph = exported()
    found = structural_difference(graph, change(graph))
    assert found is not None and found.startswith(words)


def test_equal_structures() -> None:
    first, second = (random_graph(np.random.default_rng(2)) for _ in range(2))
    assert structural_difference(first, second) is None
    assert structural_difference(first, random_graph(np.random.default_rng(3))) is not None


def test_other_inputs_cannot_be_compared() -> None:
    _, graph = exported()
    other = replace(graph, inputs=(replace(graph.inputs[0], dtype="int16"), graph.inputs[1]))
    found = compared(graph, other)
    assert found["tensors"]["compared"] == 0 and not found["equal"]
    assert difference_text(found).endswith(
        "no tensors were compared: the graphs read other inputs, or share no names"
    )


def test_tensors_of_other_shapes() -> None:
    _, graph = exported()
    attributes = {**node_of(graph, "bins").attributes, "kernel": (1, 1), "stride": (1, 1)}
    found = compared(graph, changed(graph, "bins", attributes=attributes))
    assert found["first"]["node"] == "bins" and "codes" not in found["first"]
    assert "  it is (2, 8, 2, 2) in A, (2, 8, 6, 10) in B" in difference_text(found).splitlines()


@pytest.mark.parametrize("name", TRACES)
def test_codes_that_do_not_fit(name: str) -> None:
    _, graph = exported()
    with pytest.raises(RunError, match="`img` is int32, expected int8 codes"):
        list(TRACES[name](graph, {key: x.to(torch.int32) for key, x in codes_of(graph).items()}))


def test_drawn_codes_meet_the_map_and_the_bounds() -> None:
    _, graph = exported()
    codes = drawn_codes(graph, np.random.default_rng(1), samples=3)
    assert {name: tuple(x.shape) for name, x in codes.items()} == {
        "img": (6, 3, 12, 20),
        "points": (6, 5, 6, 2),
    }
    near = (codes["points"] >= 0) & (codes["points"] < torch.tensor([10, 6]) * 256)
    assert 0.4 < float(near.float().mean()) < 0.95
    again = drawn_codes(graph, np.random.default_rng(1), samples=3)
    assert all(torch.equal(codes[name], again[name]) for name in codes)
