"""On a GPU: the exported file gives the bits that the CPU's calibration gave."""

import shutil
from functools import partial
from pathlib import Path

import pytest
import torch
from deployed_parts import exported, inferred, newest, predictor

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def test_the_integers_of_the_file_are_those_of_calibration(calibrated: Path, tmp_path: Path) -> None:
    experiment = Path(shutil.copytree(calibrated, tmp_path / "experiments" / "bev"))
    assert exported(experiment) == 0
    assert inferred(experiment, partial(predictor, device=None), "--device", "cuda") == 0
    found = newest(experiment, "int_infer").record
    calibration = newest(experiment, "calibration").record["metrics"]["best"]
    assert found["device"].startswith("cuda")
    assert found["metrics"]["best"]["output_digest"] == calibration["output_digest"]
