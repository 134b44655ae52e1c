"""`specgen inspect`: a file or an experiment, as text and as JSON, and files that are none."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hbir_files import exported_experiment, other_multiplier, small_graph

from runtime.bpu.compiler.compile import compile_graph
from runtime.bpu.march import load_march
from runtime.bpu.program.hbm_file import write_hbm
from runtime.errors import RunError
from runtime.hbir.onnx_file import write_graph
from specgen.experiment import ExperimentNotFound

Run = Callable[..., Any]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "model.hbir.onnx"
    write_graph(path, small_graph())
    return path


def test_text(run: Run, file: Path) -> None:
    done = run("inspect", "model.hbir.onnx")
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "file model.hbir.onnx"
    assert lines[1] == "specgen.hbir version 1, 3 nodes, for one sample"
    assert lines[2].startswith("digest ") and len(lines[2]) == 7 + 64
    assert lines[4:8] == [
        "        name      type   shape    scale",
        "input   img       int8   1x2x4x5  0.5",
        "result  body.sum  int8   1x3x4x5  0.25",
        "result  head      int32  1x3x4x5  0.1 to 0.3",
    ]
    assert lines[9:17] == [
        "node    op    reads    makes    type   scale  MACs  read  constants  written",
        "body",
        "  conv  conv  1x2x4x5  1x3x4x5  int8   0.25    120    40         27       60",
        "  sum   add   1x3x4x5  1x3x4x5  int8   0.25      0   120          0       60",
        "              1x3x4x5",
        "head    conv  1x2x4x5  1x3x4x5  int32  0.1     120    40         18      240",
        "                                       …0.3",
        "",
    ]
    assert "parameters 18, constants 45 bytes" in lines
    assert max(map(len, lines)) <= 100


def test_json(run: Run, file: Path) -> None:
    document = json.loads(run("inspect", str(file), "--json").out)
    assert [node["name"] for node in document["nodes"]] == ["body.conv", "body.sum", "head"]
    assert document["layout"] == 1
    assert document["totals"]["macs"] == 240
    assert document["nodes"][2]["output"]["scale"] == [0.1, 0.2, 0.3]


def test_nodes_with_most_work(run: Run, file: Path) -> None:
    lines = run("inspect", str(file), "--nodes", "1").out.splitlines()
    assert "of 3 nodes the 1 with the most multiply-accumulates" in lines
    assert not any(line.startswith("  sum") for line in lines)


def test_the_newest_export_of_an_experiment(run: Run, tmp_path: Path) -> None:
    graphs = small_graph(), other_multiplier()
    folder = exported_experiment(tmp_path / "experiments" / "toy", *graphs)
    newest = folder / "runs" / "0002-export" / "model.hbir.onnx"
    for given in ((), ("toy",), ("experiments/toy",)):
        assert run("inspect", *given).out.splitlines()[0] == f"file {newest}"
    first = run("inspect", str(folder / "runs" / "0001-export" / "model.hbir.onnx"), "--json").out
    assert json.loads(first)["format"] != json.loads(run("inspect", "--json").out)["format"]


def test_an_experiment_without_export(run: Run, tmp_path: Path) -> None:
    folder = exported_experiment(tmp_path / "experiments" / "toy")
    with pytest.raises(RunError) as found:
        run("inspect", "toy")
    assert str(found.value) == (
        f"{folder}: error: no run of stage `export` has finished\n"
        f"hint: run it with `specgen run {folder} --stage export`"
    )


def test_neither_file_nor_experiment(run: Run, tmp_path: Path) -> None:
    with pytest.raises(ExperimentNotFound, match="`toy` is not an experiment"):
        run("inspect", "toy")


@pytest.mark.parametrize(
    ("name", "harm", "message"),
    [
        ("model.hbir.onnx", lambda data: data[: len(data) // 2], r"no readable ONNX file of \d+ bytes"),
        ("model.hbir.onnx", lambda data: b"", "an ONNX model that is no HBIR"),
        ("picture.jpg", lambda data: b"\xff\xd8\xff\xe0" * 20, "no readable ONNX file of 80 bytes"),
        (
            "model.hbir.onnx",
            lambda data: data.replace(b"body.conv", b"body.vonc"),
            "the file is damaged: its content is not what its digest says",
        ),
    ],
)
def test_files_that_are_none(
    file: Path, name: str, harm: Callable[[bytes], bytes], message: str, tmp_path: Path
) -> None:
    """As a user sees it: one message, no traceback, exit status 1."""
    (tmp_path / name).write_bytes(harm(file.read_bytes()))
    done = inspect_in(tmp_path, name)
    assert (done.returncode, done.stdout) == (1, "")
    first, *rest = done.stderr.splitlines()
    assert re.match(rf"{re.escape(name)}: error: {message}", first)
    assert len(rest) == 1 and rest[0].startswith("hint: ")


def test_no_such_file(tmp_path: Path) -> None:
    done = inspect_in(tmp_path, "model.hbir.onnx")
    assert done.returncode == 1
    assert done.stderr == "model.hbir.onnx: error: no such file\nhint: run the stage `export` first\n"


def inspect_in(folder: Path, name: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from specgen.cli import main; main()", "inspect", name]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_compiled(run: Run, tmp_path: Path) -> None:
    """A `.hbm` is shown by what its layers cost."""
    file = tmp_path / "model.hbm"
    write_hbm(file, compile_graph(small_graph(), load_march("bayes")))
    done = run("inspect", "model.hbm", "--nodes", "2")
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines()[0] == "file model.hbm"
    assert done.out.splitlines()[1].startswith("bayes: ")
    document = json.loads(run("inspect", "model.hbm", "--json").out)
    assert [layer["name"] for layer in document["summary"]["layers"]] == [
        node.name for node in small_graph().nodes
    ]
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(RunError, match="no readable HBM file"):
        run("inspect", "model.hbm")
