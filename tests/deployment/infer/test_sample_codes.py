"""Codes of one sample: those that evaluation gives the network."""

from pathlib import Path

import pytest
import torch
from infer_parts import SAMPLE, Tiny

from runtime.deployment.infer import sample_codes as module
from runtime.deployment.infer.experiment_code import ExperimentCode
from runtime.deployment.infer.sample_codes import sample_codes
from runtime.errors import RunError
from runtime.hbir.codes import encode


@pytest.fixture
def experiment(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    code = ExperimentCode(tmp_path, lambda: tiny.structure, lambda: tiny.transforms, lambda: tiny.dataset)
    monkeypatch.setattr(module, "import_experiment", lambda folder, loader: code)
    return tmp_path


def test_codes_are_those_of_evaluation(tiny: Tiny, experiment: Path, exported_folder: Path) -> None:
    sample = tiny.dataset[SAMPLE]
    batch = {"img": sample["img"], "ego2img": sample["ego2img"].unsqueeze(0)}
    img, points = tiny.structure.deployed_inputs(batch)
    expected = encode(tiny.graph, {"img": img, "points": points})
    for given in (f"sample:{SAMPLE}", f"img:{exported_folder}"):
        found = sample_codes(experiment, "val", given, tiny.graph, place="x.onnx")
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[name], expected[name]) for name in expected)
    other = sample_codes(experiment, "val", "sample:0", tiny.graph, place="x.onnx")
    assert not torch.equal(other["img"], expected["img"])


def test_a_sample_that_is_not_there(tiny: Tiny, experiment: Path) -> None:
    with pytest.raises(RunError, match="no sample 9999"):
        sample_codes(experiment, "val", "sample:9999", tiny.graph, place="x.onnx")
