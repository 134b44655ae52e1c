"""`specgen debug --first-difference`: executors, files, experiments; what it says and how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hbir_files import exported_experiment, other_multiplier, small_graph

from runtime.errors import RunError
from runtime.hbir.onnx_file import write_graph

Run = Callable[..., Any]


@pytest.fixture
def files(tmp_path: Path) -> None:
    write_graph(tmp_path / "a.hbir.onnx", small_graph())
    write_graph(tmp_path / "b.hbir.onnx", other_multiplier())


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("other", ["onnxruntime", "reference"])
def test_executors_of_one_file(run: Run, other: str) -> None:
    done = run("debug", "--first-difference", "a.hbir.onnx", f"{other}:a.hbir.onnx")
    assert (done.status, done.err) == (0, "")
    assert done.out == (
        "A: a.hbir.onnx by torch\n"
        f"B: a.hbir.onnx by {other}\n"
        "inputs: random and extreme codes\n"
        "all codes are equal, 3 of 3 tensors compared\n"
    )


@pytest.mark.usefixtures("files")
def test_two_files(run: Run) -> None:
    done = run("debug", "--first-difference", "torch:a.hbir.onnx", "reference:b.hbir.onnx")
    lines = done.out.splitlines()
    assert (done.status, done.err) == (1, "")
    assert lines[3:5] == [
        "the graphs differ: the node `body.conv` (conv): 1 of 3 values of `multiplier` differ, "
        "first at (2,): 30000 in A, 16384 in B",
        "the first tensor that differs: `body.conv` of the node `body.conv` (conv)",
    ]
    assert lines[5].startswith("  ") and " of 60 int8 codes differ, by up to " in lines[5]
    assert lines[6].startswith("  first at (0, 2, ")
    assert lines[7:] == ["  all that it reads is equal: the node itself computes otherwise"]


@pytest.mark.usefixtures("files")
def test_json(run: Run) -> None:
    done = run("debug", "--first-difference", "a.hbir.onnx", "b.hbir.onnx", "--json")
    assert done.status == 1
    document = json.loads(done.out)
    assert list(document) == ["layout", "equal", "structure", "tensors", "first", "a", "b", "inputs"]
    assert document["b"] == {"executor": "torch", "file": "b.hbir.onnx"}
    assert list(document["first"]) == [
        *("node", "op", "tensor", "dtype", "shapes", "unknown_inputs"),
        *("codes", "differing", "index", "values", "largest"),
    ]
    assert document["first"]["node"] == "body.conv" and document["first"]["index"][1] == 2


def test_an_experiment_stands_for_its_newest_export(run: Run, tmp_path: Path) -> None:
    graphs = small_graph(), other_multiplier()
    folder = exported_experiment(tmp_path / "experiments" / "toy", *graphs)
    older = folder / "runs" / "0001-export" / "model.hbir.onnx"
    assert run("debug", "--first-difference", "toy", "onnxruntime:toy").status == 0
    assert run("debug", "--first-difference", "toy", str(older)).status == 1


@pytest.mark.usefixtures("files")
def test_an_unknown_executor(run: Run) -> None:
    with pytest.raises(RunError) as found:
        run("debug", "--first-difference", "tensorrt:a.hbir.onnx", "a.hbir.onnx")
    assert str(found.value) == (
        "error: `tensorrt:a.hbir.onnx` is no file, and `tensorrt` no executor\n"
        "hint: write FILE, `torch:FILE`, `onnxruntime:FILE`, `reference:FILE`"
    )


def test_options_that_do_not_belong_together(run: Run) -> None:
    alone = run("debug", "--model-inputs", "sample:0")
    assert alone.status == 2 and "only `--first-difference` reads inputs" in alone.err
    both = run("debug", "--first-difference", "a", "b", "--run", "1")
    assert both.status == 2 and "`--first-difference` reads no analysis" in both.err
