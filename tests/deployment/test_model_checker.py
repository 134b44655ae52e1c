"""The stage `check`: no data, no checkpoint, a verdict that the exit status follows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from bev_parts import bev_model, calibration_pipeline
from torch import Tensor, nn

from runtime.bpu.march import load_march
from runtime.bpu.march_digest import march_digest
from runtime.deployment.model_checker import PLACEHOLDERS, ModelChecker
from runtime.deployment.stage_entry import run_tool
from runtime.models.structure import BevStructure
from runtime.quantization.config import QuantizationConfig, QuantizationRule
from runtime.training.convert import ModelConvertPipeline
from runtime.training.quantization_converters import Float2Calibration
from runtime.training.run_directory import RunDirectory, find_runs


def checker(**changes: Any) -> ModelChecker:
    """Of the small model; its pipeline would load weights of a stage that never ran."""
    arguments = {"model": bev_model, "march": "bayes", "model_convert_pipeline": calibration_pipeline()}
    return ModelChecker(**{**arguments, **changes})


def checked(folder: Path, *argv: str, **changes: Any) -> tuple[int, RunDirectory]:
    """Exit status and run of the stage as its script runs it."""
    with pytest.raises(SystemExit) as ended:
        run_tool("check", folder, lambda: checker(**changes), argv)
    return int(str(ended.value.code)), find_runs(folder, "check")[-1]


def report_of(run: RunDirectory) -> dict[str, Any]:
    return dict(json.loads((run.path / "check.json").read_text()))


class Changed(nn.Module):
    """A BEV encoder and something after it."""

    def __init__(self, inner: nn.Module, change: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.inner = inner
        self.change = change

    def forward(self, x: Tensor) -> list[Tensor]:
        return [self.change(level) for level in self.inner(x)]


def changed(change: Callable[[Tensor], Tensor]) -> BevStructure:
    model = bev_model()
    model.bev_encoder = Changed(model.bev_encoder, change)  # type: ignore[assignment]
    return model


def test_what_fits_and_that_it_repeats(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, run = checked(tmp_path)
    assert status == 0
    written = report_of(run)
    assert written["verdict"] == "fits" and written["fits"] and written["march"] == "bayes"
    assert len(written["nodes"]) == sum(written["places"].values()) > 100
    assert written["placeholders"] == PLACEHOLDERS
    record = run.record
    assert record["status"] == "finished" and record["options"] == {"strict": False}
    assert record["inputs"] == {"march": {"name": "bayes", "digest": march_digest(load_march("bayes"))}}
    assert record["check"] == {"march": "bayes", "verdict": "fits", "places": written["places"]}
    assert set(record["outputs"]) == {"check.json"}
    told = capsys.readouterr()
    assert told.out.startswith("bayes: fits\n")
    assert (run.path / "check.txt").read_text() == f"{told.out}\n{PLACEHOLDERS}\n"
    assert PLACEHOLDERS in told.err
    torch.rand(3)  # what was drawn before does not matter
    _, again = checked(tmp_path)
    for name in ("check.json", "check.txt"):
        assert (again.path / name).read_bytes() == (run.path / name).read_bytes()


@pytest.mark.parametrize(("strict", "argv"), [(False, ()), (True, ()), (False, ("--strict",))])
def test_a_fallback_is_loud_and_strict_makes_it_an_error(
    strict: bool, argv: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wide = QuantizationConfig(
        rules=[
            QuantizationRule(match="img", scale=1 / 128),
            QuantizationRule(op="points", bits=16),
            QuantizationRule(op="output", bits=32),
            QuantizationRule(op="grid_sample", bits=16),
        ]
    )
    pipeline = ModelConvertPipeline(
        converters=[Float2Calibration(quantization=wide, image_size=(32, 64), num_views=6)],
        qat_mode="fuse_bn",
    )
    status, run = checked(tmp_path, *argv, model_convert_pipeline=pipeline, strict=strict)
    assert run.record["options"] == {"strict": bool(argv)}
    strict = strict or bool(argv)
    assert status == (1 if strict else 0)
    verdict = report_of(run)["verdict"]
    assert verdict.startswith("falls to CPU: ")
    assert run.record["status"] == ("failed" if strict else "finished")
    told = capsys.readouterr()
    assert told.out.startswith(f"bayes: {verdict}\n")
    if strict:
        assert told.err.endswith(
            f"{run.path / 'check.txt'}: error: {verdict} on bayes\n"
            "hint: without `strict` the CPU's share is a warning\n"
        )
    else:
        assert told.err.endswith(f"warning: {verdict} on bayes\n")


class Branching(BevStructure):
    """Looks at the points before it samples there."""

    def bev_feature(self, img: Tensor, points: Tensor) -> Tensor:
        return super().bev_feature(img, points if points.max() > 0 else -points)


def branching() -> BevStructure:
    model = bev_model()
    model.__class__ = Branching
    return model


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (
            lambda: changed(lambda x: x.softmax(dim=1)),
            "`torch.Tensor.softmax` in `bev_encoder` computes on quantised tensors",
        ),
        (branching, "torch cannot trace the network: "),
    ],
)
def test_a_network_without_a_fixed_point_form(
    model: Callable[[], BevStructure],
    reason: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, run = checked(tmp_path, model=model)
    assert status == 1 and run.record["status"] == "failed"
    written = report_of(run)
    assert written["verdict"] == "unsupported: no fixed-point graph can be made of the network"
    assert written["refusal"].startswith(reason) and written["nodes"] == []
    told = capsys.readouterr()
    assert told.out.startswith(f"bayes: {written['verdict']}\n  ")
    assert "Traceback" not in told.out + told.err


def test_a_module_used_twice(tmp_path: Path) -> None:
    model = bev_model()
    model.neck.add_module("again", model.backbone)
    status, run = checked(tmp_path, model=lambda: model)
    assert status == 1
    assert "one set of scales cannot serve two uses" in report_of(run)["refusal"]


def test_an_unknown_march_is_no_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="1"):
        run_tool("check", tmp_path, lambda: checker(march="bayse"), [])
    assert not find_runs(tmp_path)
    assert "hint: did you mean `bayes`?" in capsys.readouterr().err


def test_a_defect_keeps_its_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what the network computes is reported as unsupported, not mistakes in building it."""

    def broken() -> BevStructure:
        raise RuntimeError("no such layer")

    with pytest.raises(RuntimeError, match="no such layer"):
        run_tool("check", tmp_path, lambda: checker(model=broken), [])


def test_no_checkpoint_is_asked_for(tmp_path: Path) -> None:
    """The pipeline names the weights of a stage that has no run."""
    pipeline = calibration_pipeline()
    assert any(getattr(converter, "stage", None) == "float" for converter in pipeline.converters)
    assert checker(model_convert_pipeline=pipeline).sources(tmp_path) == {}
