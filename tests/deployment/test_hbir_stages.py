"""`export` and `int_infer`: what they write, and the same bits from calibration on."""

import errno
import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from bev_parts import RULES, BevDataset, bev_trainer, collate, qat_pipeline, run, to_calibration
from deployed_parts import exported, exporter, inferred, newest, predictor
from torch.utils.data import DataLoader

from runtime.hbir.onnx_file import read_graph
from runtime.quantization.config import QuantizationConfig, QuantizationRule
from runtime.training.run_directory import file_digest


@pytest.fixture
def experiment(calibrated: Path, tmp_path: Path) -> Path:
    """A calibrated experiment to change."""
    return Path(shutil.copytree(calibrated, tmp_path / "experiments" / "bev"))


def one_by_one() -> DataLoader:
    return DataLoader(BevDataset(3), batch_size=1, collate_fn=collate)


def test_the_file_is_written_and_recorded(experiment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exported(experiment) == 0
    found = newest(experiment, "export")
    record, file = found.record, found.path / "model.hbir.onnx"
    best = newest(experiment, "calibration").checkpoints / "best.safetensors"
    assert record["status"] == "finished"
    assert record["inputs"] == {
        "calibration": {"checkpoint": str(best.relative_to(experiment)), "digest": file_digest(best)}
    }
    assert record["outputs"] == {"model.hbir.onnx": file_digest(file)}
    graph = read_graph(file)
    assert record["graph"]["nodes"] == len(graph.nodes) and record["graph"]["macs"] > 0
    told = capsys.readouterr()
    assert told.out == ""
    assert "input img: int8 (6, 3, 32, 64), a code is 0.0078125\n" in told.err
    assert f"content {record['graph']['digest'][:12]}" in told.err


def test_two_exports_are_the_same_bytes(experiment: Path) -> None:
    for _ in range(2):
        assert exported(experiment) == 0
    first, second = sorted(experiment.glob("runs/*-export/model.hbir.onnx"))
    assert first.read_bytes() == second.read_bytes()


def test_the_integers_of_the_file_are_those_of_calibration(experiment: Path) -> None:
    assert exported(experiment) == 0
    assert inferred(experiment) == 0
    calibration = newest(experiment, "calibration").record["metrics"]["best"]
    record = newest(experiment, "int_infer").record
    assert record["metrics"]["best"]["output_digest"] == calibration["output_digest"]
    assert record["metrics"]["best"]["metrics"] == calibration["metrics"]
    model = newest(experiment, "export").path / "model.hbir.onnx"
    assert record["inputs"] == {
        "export": {"checkpoint": str(model.relative_to(experiment)), "digest": file_digest(model)},
        "val": {"split": "noise", "num_samples": 3, "digest": "5eed"},
    }
    written = json.loads((newest(experiment, "int_infer").path / "metrics.json").read_text())
    assert written == record["metrics"]
    # Other batches are other calls of the network, and the same samples.
    found = predictor(val_data_loader=one_by_one).evaluate(model)
    assert found.output_digest == calibration["output_digest"]


@pytest.mark.parametrize("scales", ["lsq", "moving_average", "frozen"])
def test_the_integers_of_the_file_are_those_of_qat(experiment: Path, scales: Any) -> None:
    learning = partial(bev_trainer, model_convert_pipeline=qat_pipeline(scales), num_epochs=1)
    assert run("qat", experiment, learning) == 0
    assert exported(experiment, lambda: exporter("qat")) == 0
    assert inferred(experiment) == 0
    qat = newest(experiment, "qat").record["metrics"]["best"]
    found = newest(experiment, "int_infer").record["metrics"]["best"]
    assert found["output_digest"] == qat["output_digest"]
    assert found["metrics"] == qat["metrics"]
    assert (
        found["output_digest"] != newest(experiment, "calibration").record["metrics"]["best"]["output_digest"]
    )


def test_predict_evaluates_the_newest_export_or_another_file(
    experiment: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exported(experiment) == 0
    capsys.readouterr()
    assert inferred(experiment, predictor, "--predict", "--json") == 0
    whole = json.loads(capsys.readouterr().out)
    calibration = newest(experiment, "calibration").record["metrics"]["best"]
    assert whole["metrics"] == calibration["metrics"]
    assert whole["output_digest"] == calibration["output_digest"]
    model = newest(experiment, "export").path / "model.hbir.onnx"
    assert whole["checkpoint"] == str(model)

    moved = model.rename(experiment / "moved.hbir.onnx")
    assert inferred(experiment, predictor, "--predict", "--checkpoint", str(moved), "--num-samples", "1") == 0
    assert "split noise, 1 samples" in capsys.readouterr().out


def test_what_comes_before_is_missing(experiment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert inferred(experiment) == 1
    assert capsys.readouterr().err == (
        f"{experiment}: error: no run of stage `export` has finished\n"
        f"hint: run it with `specgen run {experiment} --stage export`\n"
    )
    assert exported(experiment, lambda: exporter("qat")) == 1
    assert "stage `qat` has not been trained" in capsys.readouterr().err
    assert not list(experiment.glob("runs/*-export")) and not list(experiment.glob("runs/*-int_infer"))


def test_weights_without_scales_are_refused_and_the_run_has_failed(
    experiment: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build = exporter()
    build.model_convert_pipeline.converters = build.model_convert_pipeline.converters[:1]
    assert exported(experiment, lambda: build) == 1
    assert "the model was never calibrated" in capsys.readouterr().err
    assert newest(experiment, "export").record["status"] == "failed"


def test_tensors_in_float_are_refused(experiment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = (*RULES, QuantizationRule(match="backbone.stem", keep_float=True))
    build, converter = exporter(), to_calibration()
    converter.quantization = QuantizationConfig(rules=rules)
    build.model_convert_pipeline.converters = (converter, *build.model_convert_pipeline.converters[1:])
    assert exported(experiment, lambda: build) == 1
    assert "kept in float: the exported model is fixed point throughout" in capsys.readouterr().err


def test_a_damaged_file_is_refused(experiment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exported(experiment) == 0
    file = newest(experiment, "export").path / "model.hbir.onnx"
    file.write_bytes(file.read_bytes()[:-100])
    assert inferred(experiment) == 1
    assert str(file) in capsys.readouterr().err
    assert newest(experiment, "int_infer").record["status"] == "failed"


@pytest.mark.parametrize("argv", [(), ("--predict",)])
def test_a_file_that_cannot_be_read_leaves_no_run(
    experiment: Path,
    argv: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert exported(experiment) == 0
    file = newest(experiment, "export").path / "model.hbir.onnx"
    before = sorted(experiment.glob("runs/*"))
    opened = Path.open

    def refused(path: Path, *arguments: Any, **options: Any) -> Any:
        if path == file:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", refused)
    capsys.readouterr()
    assert inferred(experiment, predictor, *argv) == 1
    assert capsys.readouterr().err.startswith(f"{file}: error: Permission denied\n")
    assert sorted(experiment.glob("runs/*")) == before


def test_images_of_another_size_are_refused(experiment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exported(experiment) == 0

    def larger(samples: list[dict[str, Any]]) -> dict[str, Any]:
        batch = collate(samples)
        return {**batch, "img": torch.nn.functional.interpolate(batch["img"], size=(64, 64))}

    loader = DataLoader(BevDataset(1), collate_fn=larger)
    assert inferred(experiment, lambda: predictor(val_data_loader=lambda: loader)) == 1
    assert "the input `img` is (6, 3, 64, 64)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("call", "argv", "said"),
    [
        (exported, "--num-steps 3", "the stage `export` does not learn: leave out --resume and --num-steps"),
        (exported, "--predict", "the stage `export` evaluates nothing: leave out --predict and --device"),
        (exported, "--strict", "the stage `export` has no verdict on the chip: leave out --strict"),
        (inferred, "--resume", "the stage `int_infer` does not learn"),
        (inferred, "--strict", "the stage `int_infer` has no verdict on the chip"),
        (inferred, "--predict --untrained", "leave out --untrained"),
        (inferred, "--pictures 2", "--pictures needs --predict"),
    ],
)
def test_arguments_of_other_stages_are_usage_errors(
    call: Any, argv: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build = exporter if call is exported else predictor
    assert call(tmp_path, build, *argv.split()) == 2
    assert said in capsys.readouterr().err
