"""What the judges of files share: which file they take, and what they refuse before they read one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bpu_parts import bpu_predictor
from deployed_parts import predictor
from torch import nn

from runtime.deployment.file_predictor import FilePredictor
from runtime.errors import RunError
from runtime.training.run_directory import create_run

Build = Callable[..., FilePredictor]
CASES: list[Any] = [
    pytest.param(predictor, "export", "model.hbir.onnx", "exported file", id="int_infer"),
    pytest.param(bpu_predictor, "compile", "model.hbm", "compiled program", id="align_bpu"),
]


@pytest.mark.parametrize(("build", "stage", "file", "kind"), CASES)
def test_the_file_of_the_newest_finished_run_is_taken(
    build: Build, stage: str, file: str, kind: str, tmp_path: Path
) -> None:
    for status in ("finished", "finished", "failed"):
        run = create_run(tmp_path, stage)
        (run.path / file).write_text(kind)
        run.update(status=status)
    assert build().sources(tmp_path) == {stage: tmp_path / "runs" / f"0002-{stage}" / file}


@pytest.mark.parametrize(("build", "stage", "file", "kind"), CASES)
def test_there_must_be_a_file_and_a_model_of_ours(
    build: Build, stage: str, file: str, kind: str, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match=f"there is no {kind} of a BevStructure to evaluate"):
        build().evaluate(None)
    with pytest.raises(RunError, match=f"there is no {kind} of a Linear to evaluate"):
        build(model=lambda: nn.Linear(1, 1)).evaluate(tmp_path / file)
