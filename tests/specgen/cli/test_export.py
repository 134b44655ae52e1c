"""`specgen export`: what it takes, what it writes, what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from runtime.errors import RunError
from runtime.hbir.onnx_file import write_graph
from runtime.hbir.ops import OPERATIONS
from specgen.emit.lock import LOCK

Run = Callable[..., Any]


def write_hbir(path: Path, seed: int = 0) -> bytes:
    """A graph of one node."""
    write_graph(path, next(OPERATIONS["conv"].cases(np.random.default_rng(seed))).graph)
    return path.read_bytes()


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    folder = tmp_path / "experiments" / "toy"
    folder.mkdir(parents=True)
    (folder / LOCK).write_text('spec = "toy"\n')
    return folder


def made_run(experiment: Path, name: str, status: str = "finished", seed: int = 0) -> bytes:
    folder = experiment / "runs" / name
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"stage": "export", "status": status}))
    return write_hbir(folder / "model.hbir.onnx", seed)


def test_the_newest_finished_export(run: Run, experiment: Path) -> None:
    made_run(experiment, "0002-export", seed=2)
    newest = made_run(experiment, "0010-export", seed=10)
    made_run(experiment, "0011-export", status="failed", seed=11)
    done = run("export", "--format", "hbir", "--out", "copy.onnx")
    assert done.status == 0
    source = experiment / "runs" / "0010-export" / "model.hbir.onnx"
    assert done.out == f"copy.onnx: hbir of {source}, 0.0 MB\n"
    assert Path("copy.onnx").read_bytes() == newest


def test_a_file_as_qdq(run: Run, tmp_path: Path) -> None:
    write_hbir(tmp_path / "model.hbir.onnx")
    for batch, size in (("one", [2]), ("dynamic", ["2*samples"])):
        out = tmp_path / "new" / f"{batch}.onnx"
        assert run("export", "model.hbir.onnx", "--batch", batch, "--out", str(out)).status == 0
        model = onnx.load(out)
        onnx.checker.check_model(model, full_check=True)
        first = model.graph.input[0].type.tensor_type
        assert first.elem_type == onnx.TensorProto.FLOAT
        assert [first.shape.dim[0].dim_param or first.shape.dim[0].dim_value] == size
        assert "Conv" in {node.op_type for node in model.graph.node}


def test_nothing_is_replaced_unasked(run: Run, tmp_path: Path) -> None:
    write_hbir(tmp_path / "model.hbir.onnx")
    out = tmp_path / "model.onnx"
    out.write_bytes(b"mine")
    arguments = ("export", "model.hbir.onnx", "--out", "model.onnx")
    with pytest.raises(RunError) as refused:
        run(*arguments)
    assert str(refused.value) == (
        "model.onnx: error: the file is there already\nhint: replace it with `--force`"
    )
    assert out.read_bytes() == b"mine"
    assert run(*arguments, "--force").status == 0
    onnx.checker.check_model(onnx.load(out))


def test_the_source_is_never_replaced(run: Run, tmp_path: Path) -> None:
    before = write_hbir(tmp_path / "model.hbir.onnx")
    with pytest.raises(RunError, match="this is the file that is exported"):
        run("export", "model.hbir.onnx", "--out", "./model.hbir.onnx", "--force")
    assert (tmp_path / "model.hbir.onnx").read_bytes() == before


def test_a_folder_is_no_file_to_write(run: Run, tmp_path: Path) -> None:
    write_hbir(tmp_path / "model.hbir.onnx")
    (tmp_path / "out").mkdir()
    with pytest.raises(RunError) as refused:
        run("export", "model.hbir.onnx", "--out", "out", "--force")
    assert str(refused.value) == "out: error: this is a folder\nhint: name a file with `--out`"


def test_an_experiment_that_was_not_exported(run: Run, experiment: Path) -> None:
    made_run(experiment, "0001-export", status="failed")
    with pytest.raises(RunError) as refused:
        run("export", "toy", "--out", "model.onnx")
    assert str(refused.value) == (
        f"{experiment}: error: no run of stage `export` has finished\n"
        f"hint: run it with `specgen run {experiment} --stage export`"
    )


def test_hbir_has_no_batch(run: Run, tmp_path: Path) -> None:
    write_hbir(tmp_path / "model.hbir.onnx")
    done = run(
        *("export", "model.hbir.onnx", "--format", "hbir", "--batch", "dynamic", "--out", "copy.onnx"),
    )
    assert done.status == 2
    assert "an HBIR file is of one sample" in done.err


def test_foreign_and_missing_files_end_with_one(tmp_path: Path) -> None:
    """As a user sees it: a message and status 1, no traceback."""
    (tmp_path / "other.onnx").write_bytes(b"no model")
    for name, message in (
        ("other.onnx", "other.onnx: error: no readable ONNX file of 8 bytes"),
        ("none.onnx", "none.onnx: error: no such file"),
    ):
        command = [sys.executable, "-m", "specgen", "export", name, "--out", "model.onnx"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(message)
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "model.onnx").exists()
