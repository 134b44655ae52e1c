"""`specgen estimate`: of a float file, of an exported one, of an experiment with and without an export."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from runtime.errors import RunError
from runtime.hbir.onnx_file import write_graph
from runtime.hbir.ops import OPERATIONS

ROOT = Path(__file__).resolve().parents[3]
Run = Callable[..., Any]


@pytest.fixture
def float_file(tmp_path: Path) -> str:
    """A convolution, and an operator that is nobody's."""
    weights = numpy_helper.from_array(np.zeros((16, 3, 3, 3), dtype=np.float32), "w")
    nodes = [
        helper.make_node("Conv", ["images", "w"], ["c"], name="stem"),
        helper.make_node("Strange", ["c"], ["y"], domain="vendor", name="odd"),
    ]
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 3, 64, 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        initializer=[weights],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("vendor", 1)]
    (tmp_path / "net.onnx").write_bytes(helper.make_model(graph, opset_imports=opsets).SerializeToString())
    return "net.onnx"


@pytest.fixture
def hbir_file(tmp_path: Path) -> str:
    write_graph(tmp_path / "model.onnx", next(OPERATIONS["conv"].cases(np.random.default_rng(0))).graph)
    return "model.onnx"


SHAPE = ("--input-shape", "images:1,3,64,64")


def test_text_of_a_float_file(run: Run, float_file: str) -> None:
    done = run("estimate", float_file, "--march", "bayes-e", "--march", "nash-e", *SHAPE)
    assert done.status == 0
    lines = done.out.splitlines()
    assert lines[:2] == [
        "net.onnx",
        "from float ONNX, batch normalisation folded, int8 activations, int8 weights",
    ]
    assert sum("leave-one-out over" in line for line in lines) == 2
    assert lines[-1].startswith("  1 `vendor.Strange` is not in the model")


def test_json_of_every_chip(run: Run, float_file: str) -> None:
    done = run("estimate", float_file, "--all-marches", "--bits", "16", "--json", *SHAPE)
    document = json.loads(done.out)
    bits = {one["march"]: one["operations"][0]["in_bits"] for one in document["marches"]}
    assert bits == {
        **dict.fromkeys(("bayes", "bayes-e", "nash-e", "nash-m", "nash-p"), 16),
        "bernoulli2": 8,
    }
    assert document["left_out"][0]["names"] == ["odd"]


def test_strict_is_an_error(run: Run, float_file: str) -> None:
    with pytest.raises(RunError, match=r"1 `vendor\.Strange` is not in the model"):
        run("estimate", float_file, "--march", "bayes", "--strict", *SHAPE)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (SHAPE, "which chip? or `--all-marches`"),
        (("--march", "bayes", "--bits", "12"), "8 or 16"),
        (("--march", "bayes", "--bits", "16", "--schedule"), "goes with 8 bits only"),
        (("--march", "bayes", "--input-shape", "images"), "`images` is not like `images:1,3,224,224`"),
        (("--march", "bayes", "--input-shape", "images:1,0"), "`images:1,0` is not like"),
    ],
)
def test_usage(run: Run, float_file: str, arguments: tuple[str, ...], message: str) -> None:
    done = run("estimate", float_file, *arguments)
    assert done.status == 2
    assert message in done.err


def test_schedule_beside_the_estimate(run: Run, hbir_file: str) -> None:
    done = run("estimate", hbir_file, "--march", "bayes", "--march", "bayes-e", "--schedule", "--json")
    for march in json.loads(done.out)["marches"]:
        assert march["schedule"]["milliseconds"] > 0
        assert march["schedule"]["accuracy"]["analytic"]["text"] == march["accuracy"]["text"]
    text = run("estimate", hbir_file, "--march", "bayes", "--schedule").out
    assert "compiled for" in text


def test_a_network_without_a_schedule_is_told(run: Run, float_file: str) -> None:
    with pytest.raises(
        RunError, match=r"no fixed-point graph: `vendor\.Strange` at `odd` \(its shapes cannot"
    ):
        run("estimate", float_file, "--march", "bayes", "--schedule", *SHAPE)


def test_an_exported_file_has_its_own_widths(run: Run, hbir_file: str) -> None:
    done = run("estimate", hbir_file, "--march", "bayes", "--json")
    network = json.loads(done.out)["network"]
    assert (network["kind"], network["operations"]) == ("fixed point", 1)
    with pytest.raises(RunError, match=r"its own widths and shapes\nhint: leave `--bits`"):
        run("estimate", hbir_file, "--march", "bayes", "--bits", "16")


def test_experiment(tmp_path: Path, hbir_file: str) -> None:
    """Its float model is built and exported; an export is preferred, and both say what they are of."""
    experiment = tmp_path / "experiments" / "bev_ipm_tiny"
    shutil.copytree(
        ROOT / "experiments" / "bev_ipm_tiny",
        experiment,
        ignore=shutil.ignore_patterns("runs", "__pycache__"),
    )
    text = _estimate(tmp_path).splitlines()
    assert text[1] == "from the float model, untrained, as if every activation had 8 bits and weights 8"
    assert text[2].startswith("one run: one surround frame, that is 6 camera images: `img` 6x3x96x256")
    assert "surround frames/s" in text[5]
    assert text[6].startswith("bayes-e ")  # the spec's chip
    run = experiment / "runs" / "0003-export"
    run.mkdir(parents=True)
    (run / "run.json").write_text(json.dumps({"stage": "export", "status": "finished"}))
    (tmp_path / hbir_file).rename(run / "model.hbir.onnx")
    assert "from the newest export, 0003-export: a fixed-point graph" in _estimate(tmp_path)


def _estimate(folder: Path) -> str:
    """In a process of its own: building a model puts the experiment's modules among those imported."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "specgen", "estimate"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
