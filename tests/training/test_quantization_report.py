"""The report of a calibrated BEV model: three files, lines of the log, a march's cycles in the plan."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from runtime.bpu.march import load_march
from runtime.models.structure import BevStructure
from runtime.quantization.calibration import finish_observing, start_observing, state_of
from runtime.quantization.config import QuantizationConfig, QuantizationRule
from runtime.quantization.convert import convert_structure
from runtime.quantization.fold_bn import fold_batch_norm
from runtime.quantization.graph import graph_of
from runtime.quantization.state import State
from runtime.training.march_cycles import march_cycles, march_refuses
from runtime.training.quantization_report import write_quantization_report
from runtime.training.report import start_reporting, stop_reporting

MODELS = Path(__file__).resolve().parents[1] / "models" / "conftest.py"
RULES = (
    QuantizationRule(match="img", scale=1 / 128),
    QuantizationRule(op="points", bits=16),
    QuantizationRule(op="output", bits=32),
)


def models() -> Any:
    """The builders that the tests of models share."""
    spec = importlib.util.spec_from_file_location("models_for_reports", MODELS)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def calibrated() -> tuple[BevStructure, list[dict[str, Any]]]:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    build = models()
    model = build.build_model(
        input_hw=(32, 64),
        bev_size=(8.0, 8.0, 1.0),
        task_size=(4.0, 4.0, 0.5),
        width=0.25,
        depth=0.3,
        indexes=(-4, -1),
        neck_channels=8,
        bev_channels=8,
        head_channels=8,
        stack=1,
    )
    model = fold_batch_norm(model.eval())
    convert_structure(model, QuantizationConfig(rules=RULES), image_size=(32, 64), num_views=6)
    batches = []
    for number in range(3):
        batch = build.build_batch(samples=1, input_hw=(32, 64), seg_hw=(16, 16), half=6.0)
        batches.append({**batch, "img": batch["img"].clamp(-0.99, 0.99), "token": [f"token{number}"]})
    start_observing(model)
    with torch.no_grad():
        for batch in batches:
            model.raw_outputs(*model.deployed_inputs(batch))
    finish_observing(model)
    return model, batches


@pytest.fixture(scope="module")
def written(
    calibrated: tuple[BevStructure, list[dict[str, Any]]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any], str]:
    model, batches = calibrated
    run = tmp_path_factory.mktemp("runs") / "0007-calibration"
    run.mkdir()
    start_reporting(run / "log.txt", quiet=False)
    try:
        document = write_quantization_report(
            run, model, iter(batches), march="nash-e", num_samples=2, sensitivity_samples=1
        )
    finally:
        stop_reporting()
    return run, document, (run / "log.txt").read_text()


def test_three_files(written: tuple[Path, dict[str, Any], str]) -> None:
    run, document, log = written
    assert json.loads((run / "analysis.json").read_text()) == json.loads(json.dumps(document))
    assert "plan: tensors raised to int16" in (run / "analysis.txt").read_text()
    page = (run / "analysis.html").read_text()
    assert "Fixed point against float: 0007-calibration" in page
    assert "cycles on nash-e" in page
    assert f"{run / 'analysis.html'}" in log
    assert "fixed point against float on 2 samples" in log


def test_no_more_samples_than_asked_for(written: tuple[Path, dict[str, Any], str]) -> None:
    _, document, _ = written
    assert (document["num_samples"], document["sensitivity_samples"]) == (2, 1)
    assert {item["token"] for item in document["worst_samples"]} == {"token0", "token1"}


def test_the_loss_is_that_of_all_tasks(
    calibrated: tuple[BevStructure, list[dict[str, Any]]], written: tuple[Path, dict[str, Any], str]
) -> None:
    model, batches = calibrated
    assert state_of(model) is State.QUANTISE
    with torch.no_grad():
        losses = [sum(float(loss) for loss in model.losses(batch).values()) for batch in batches[:2]]
    assert written[1]["fixed_loss"] == pytest.approx(sum(losses) / 2)


def test_every_tensor_of_the_model(
    calibrated: tuple[BevStructure, list[dict[str, Any]]], written: tuple[Path, dict[str, Any], str]
) -> None:
    graph = graph_of(calibrated[0])
    assert {item["name"] for item in written[1]["ranges"]} == set(graph.quantisers())
    layers = {item["name"] for item in written[1]["layers"]}
    assert set(graph.modules) <= layers
    plan = written[1]["plan"]
    raised = {item["name"] for item in (*plan["steps"], *plan["skipped"])}
    assert raised == {name for name, quant in graph.quantisers().items() if quant.bits == 8}


def test_more_bits_are_nearer_to_float_and_cost_more(written: tuple[Path, dict[str, Any], str]) -> None:
    points = written[1]["plan"]["points"]
    assert points[-1]["output_sqnr_db"] > points[0]["output_sqnr_db"] + 3
    assert points[-1]["extra"]["cycles"] > 0
    moved = [point["extra"]["bytes"] for point in points]
    assert moved == sorted(set(moved)) and moved[0] == 0


def test_cycles_of_a_march(calibrated: tuple[BevStructure, list[dict[str, Any]]]) -> None:
    graph = graph_of(calibrated[0])
    march = load_march("nash-e")
    assert march_refuses(march, graph) is None
    cycles = march_cycles(march, graph)
    by_name = {operation.name: operation for operation in graph.operations}
    assert cycles(by_name["img"], 8, 8) == 0
    stem = by_name["backbone.stem"]
    assert cycles(stem, 16, 8) > cycles(stem, 8, 8) > 0
    sums = [
        operation
        for operation in graph.operations
        if operation.op == "add" and getattr(graph.modules[operation.name], "accumulating", None) is not None
    ]
    assert sums and all(cycles(operation, 8, 8) == 0 for operation in sums)


def test_what_a_march_computes_in_int8_only_is_not_raised(
    calibrated: tuple[BevStructure, list[dict[str, Any]]], tmp_path: Path
) -> None:
    model, batches = calibrated
    document = write_quantization_report(
        tmp_path, model, batches[:1], march="bayes", num_samples=1, sensitivity_samples=1
    )
    reasons = {item["name"]: item["reason"] for item in document["plan"]["skipped"]}
    assert "takes output of int8, not int16" in reasons["view_transformer.grid_sample"]
    assert reasons["img"] == "its scale is fixed: more bits would not make it finer"


def test_a_march_that_cannot_run_the_model_says_why(
    calibrated: tuple[BevStructure, list[dict[str, Any]]],
) -> None:
    graph = graph_of(calibrated[0])
    first = graph.quantisers()["view_transformer.grid_sample"]
    first.bits = 16
    try:
        refusal = march_refuses(load_march("bayes"), graph)
    finally:
        first.bits = 8
    assert refusal is not None
    assert refusal.startswith("`view_transformer.grid_sample`: `grid_sample` on bayes takes output of int8")
