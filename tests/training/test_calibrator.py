"""The stage `calibration` on a small BEV model: it observes, chooses scales, judges in fixed point."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from bev_parts import (
    bev_loader,
    calibration_pipeline,
    calibrator,
    run,
    to_calibration,
    trained_experiment,
)
from torch.utils.data import DataLoader

from runtime.errors import RunError
from runtime.quantization.config import AdaRound
from runtime.training.batch_processor import BatchProcessor
from runtime.training.callbacks.checkpoint import Checkpoint
from runtime.training.convert import ModelConvertPipeline
from runtime.training.load_checkpoint import LoadCheckpoint
from runtime.training.report import start_reporting, stop_reporting
from runtime.training.run_checkpoints import ResumePoint
from runtime.training.run_directory import RunDirectory, file_digest
from runtime.training.weights_file import load_metadata, load_weights


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An experiment with float weights."""
    return trained_experiment(tmp_path_factory.mktemp("float"), calibrated=False)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    """The lines of a run."""
    path = tmp_path / "log.txt"
    start_reporting(path)
    yield path
    stop_reporting()


Fitted = tuple[dict[str, dict[str, float]], Path]


def fit(experiment: Path, name: str, **changes: Any) -> Fitted:
    """Metrics and checkpoint of a calibration in a run folder of that name."""
    folder = experiment / "runs" / name
    metrics = calibrator(**changes).fit(folder, identity={"stage": "calibration"})
    return metrics, folder / "checkpoints" / "best.safetensors"


@pytest.fixture(scope="module")
def fitted(trained: Path) -> Fitted:
    """A calibration on all batches, which other ones are compared with."""
    return fit(trained, "1000-calibration")


def test_the_metrics_of_the_run_are_those_of_its_checkpoint(fitted: Fitted) -> None:
    metrics, best = fitted
    assert sorted(path.name for path in best.parent.iterdir()) == ["best.safetensors"]
    metadata = load_metadata(best)
    assert (metadata["stage"], metadata["epoch"], metadata["step"]) == ("calibration", 0, 2)
    assert metadata["metrics"] == metrics and set(metrics) == {"bev_det", "bev_seg"}
    assert metrics["bev_det"]["count"] > 0

    # Neither a draw nor the number format of training has a part in it.
    evaluation = calibrator(seed=4, batch_processor=BatchProcessor(precision="bf16")).evaluate(best)
    assert evaluation.metrics == metrics
    assert (evaluation.split, evaluation.num_samples, evaluation.digest) == ("noise", 3, "5eed")


def test_two_calibrations_have_the_same_bytes(trained: Path, fitted: Fitted, log: Path) -> None:
    metrics, best = fit(trained, "1001-calibration")
    assert metrics == fitted[0] and best.read_bytes() == fitted[1].read_bytes()
    weights = load_weights(best)[0]
    scales = [value for key, value in weights.items() if key.endswith("scale")]
    assert len(scales) > 100 and all((value > 0).all() for value in scales)

    start = trained / "runs" / "0001-float" / "checkpoints" / "best.safetensors"
    count = len(load_weights(start)[0])
    assert f"loaded {count} of {count} tensors from {start}\n" in log.read_text()
    name = "bev_decoders.bev_seg.head.classify"  # has no normalisation to fold
    assert torch.equal(load_weights(start)[0][f"{name}.weight"], weights[f"{name}.layer.weight"])


@pytest.mark.parametrize(
    ("num_steps", "lines"),
    [
        (1, ["batch    1/1  observed in"]),
        (5, ["batch    2/5  observed in", "warning: the loader has 2 batches, `num_steps` asks for 5"]),
    ],
)
def test_batches_are_counted(
    trained: Path, fitted: Fitted, log: Path, num_steps: int, lines: list[str]
) -> None:
    fetched: list[int] = []

    class Counting(DataLoader):
        def __iter__(self) -> Iterator[Any]:
            for number, batch in enumerate(super().__iter__()):
                fetched.append(number)
                yield batch

    def loader() -> DataLoader:
        made = bev_loader(size=4, shuffle=True)
        return Counting(made.dataset, batch_size=2, sampler=made.sampler, collate_fn=made.collate_fn)

    name = f"101{num_steps}-calibration"
    metrics, best = fit(trained, name, num_steps=num_steps, data_loader=loader, callbacks=[Checkpoint()])
    text = log.read_text()
    assert all(line in text for line in lines)
    assert text.count("warning: the loader has") == len(lines) - 1
    assert len(fetched) == min(num_steps, 2)
    weights, metadata = load_weights(best)
    assert metadata["step"] == min(num_steps, 2)
    assert metrics == {} and metadata["metrics"] == {}  # nothing was judged
    whole = load_weights(fitted[1])[0]
    assert all(torch.equal(weights[key], whole[key]) for key in whole) == (num_steps == 5)


def test_the_log_interval_leaves_out_lines_but_not_the_last(trained: Path, log: Path) -> None:
    changes = {"log_interval": 2, "num_steps": 3, "data_loader": partial(bev_loader, size=6)}
    assert fit(trained, "1020-calibration", callbacks=[], **changes)[0] == {}
    text = log.read_text()
    assert "batch    1/3" not in text and "batch    2/3" in text and "batch    3/3" in text
    assert not (trained / "runs" / "1020-calibration" / "checkpoints").exists()


def test_mixed_precision_observes_and_is_judged_exactly(trained: Path, fitted: Fitted) -> None:
    metrics, best = fit(trained, "1050-calibration", batch_processor=BatchProcessor(precision="bf16"))
    assert calibrator().evaluate(best).metrics == metrics
    exact = load_weights(fitted[1])[0]
    assert any(not torch.equal(value, exact[key]) for key, value in load_weights(best)[0].items())


def test_what_refines_a_calibration_is_in_its_checkpoint(trained: Path, fitted: Fitted) -> None:
    """Equalisation, AdaRound and bias correction change weights, with which the plain structure computes."""
    pipeline = calibration_pipeline(
        equalization=True, bias_correction=True, adaround=AdaRound(num_steps=2, lr=0.1)
    )
    metrics, best = fit(trained, "1070-calibration", model_convert_pipeline=pipeline)
    assert metrics != fitted[0]
    assert calibrator().evaluate(best).metrics == metrics
    plain = load_weights(fitted[1])[0]
    weights = load_weights(best)[0]
    assert list(weights) == list(plain)
    for ending in ("layer.weight", "layer.bias", "weight_scale"):
        assert any(not torch.equal(weights[key], plain[key]) for key in plain if key.endswith(ending))


def test_without_a_float_run_the_hint_says_how_to_train_one(experiment: Path) -> None:
    with pytest.raises(RunError) as caught:
        fit(experiment, "0001-calibration")
    assert str(caught.value) == (
        f"{experiment}: error: stage `float` has not been trained\n"
        f"hint: train it with `specgen run {experiment} --stage float`"
    )


def test_a_pipeline_that_does_not_quantise_is_refused(trained: Path) -> None:
    pipeline = ModelConvertPipeline(converters=[LoadCheckpoint(stage="float")], qat_mode="fuse_bn")
    with pytest.raises(RunError) as caught:
        fit(trained, "1080-calibration", model_convert_pipeline=pipeline)
    assert str(caught.value) == (
        "error: the stage has no converter that quantises the model\n"
        "hint: add `Float2Calibration` to `model_convert_pipeline`"
    )


def test_normalisation_that_is_not_folded_is_named(trained: Path) -> None:
    pipeline = ModelConvertPipeline(converters=[LoadCheckpoint(stage="float"), to_calibration()])
    with pytest.raises(RunError) as caught:
        fit(trained, "1081-calibration", model_convert_pipeline=pipeline)
    assert str(caught.value) == (
        "error: the normalisation of `backbone.stem` is not folded\n"
        "hint: set `qat_mode: fuse_bn` in `model_convert_pipeline`"
    )


def test_a_model_that_was_never_calibrated_is_not_judged() -> None:
    with pytest.raises(RunError, match="the model was never calibrated") as caught:
        calibrator().evaluate(None)
    assert caught.value.hint == "run the stage `calibration` first"


def test_a_float_checkpoint_is_not_judged_as_a_calibrated_one(trained: Path) -> None:
    best = trained / "runs" / "0001-float" / "checkpoints" / "best.safetensors"
    with pytest.raises(RunError, match="a checkpoint of another model, no key fits"):
        calibrator().evaluate(best)


def test_a_calibration_is_not_resumed(trained: Path) -> None:
    point = ResumePoint({}, {}, 0, 1, trained / "last.safetensors")
    with pytest.raises(RunError) as caught:
        calibrator().fit(trained / "runs" / "1082-calibration", point)
    assert str(caught.value) == (
        "error: a calibration is not resumed\nhint: start it anew, without `--resume`"
    )


def test_the_stage_records_its_weights_and_predict_repeats_its_metrics(trained: Path, capsys: Any) -> None:
    assert run("calibration", trained, calibrator, "--num-steps", "1") == 0
    folder = max((trained / "runs").glob("*-calibration/run.json")).parent
    record = RunDirectory(folder).record
    source = "runs/0001-float/checkpoints/best.safetensors"
    assert record["inputs"]["float"] == {"checkpoint": source, "digest": file_digest(trained / source)}
    assert record["inputs"]["train"]["num_samples"] == 4 and record["inputs"]["val"]["num_samples"] == 3
    assert record["options"] == {"num_steps": 1, "device": None}
    assert record["metrics"]["best"]["step"] == 1 and "last" not in record["metrics"]
    capsys.readouterr()
    assert run("calibration", trained, calibrator, "--predict", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["checkpoint"] == str(folder / "checkpoints" / "best.safetensors")
    assert shown["metrics"] == record["metrics"]["best"]["metrics"]
