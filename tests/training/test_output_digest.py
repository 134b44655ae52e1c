"""The digest of raw outputs: what it depends on, what it does not, and where it is recorded."""

import json
import struct
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from bev_parts import bev_trainer, calibrator, run, trained_experiment
from torch import Tensor

from runtime.training.output_digest import OutputDigest
from runtime.training.run_directory import find_runs
from runtime.training.weights_file import load_metadata


def digest_of(*batches: dict[str, Tensor]) -> str:
    digest = OutputDigest()
    for batch in batches:
        digest.update(batch)
    return digest.hexdigest()


@pytest.fixture
def raw() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(5)
    return {name: torch.randn(4, 3, 2, generator=generator) for name in ("b", "a")}


def test_it_is_what_the_docs_say() -> None:
    samples = [
        sha256(b"a (1,)\n" + struct.pack("<f", a) + b"b (2,)\n" + struct.pack("<2f", *b)).digest()
        for a, b in ((1.5, (0.0, -2.0)), (-1.0, (3.0, 4.0)))
    ]
    raw = {"b": torch.tensor([[-0.0, -2.0], [3.0, 4.0]]), "a": torch.tensor([[1.5], [-1.0]])}
    assert digest_of(raw) == sha256(b"".join(samples)).hexdigest()


def test_batches_and_layout_do_not_matter(raw: dict[str, Tensor]) -> None:
    whole = digest_of(raw)
    split = [{name: value[part] for name, value in raw.items()} for part in (slice(0, 3), slice(3, 4))]
    assert digest_of(*split) == whole
    assert digest_of(dict(sorted(raw.items()))) == whole
    assert (
        digest_of({name: value.transpose(1, 2).contiguous().transpose(1, 2) for name, value in raw.items()})
        == whole
    )


def test_values_order_names_and_shapes_matter(raw: dict[str, Tensor]) -> None:
    changed = {name: value.clone() for name, value in raw.items()}
    changed["a"].view(torch.int32)[3, 2, 1] ^= 1
    others = [
        changed,
        {name: value.flip(0) for name, value in raw.items()},
        {name: value[:3] for name, value in raw.items()},
        {"a": raw["a"], "c": raw["b"]},
        {name: value.reshape(4, 2, 3) for name, value in raw.items()},
    ]
    assert len({digest_of(raw), *map(digest_of, others)}) == 1 + len(others)


def test_start_forgets(raw: dict[str, Tensor]) -> None:
    digest = OutputDigest()
    digest.update(raw)
    digest.start()
    digest.update(raw)
    assert digest.hexdigest() == digest_of(raw)


def test_fixed_point_is_recorded_and_float_is_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    experiment = trained_experiment(tmp_path, calibrated=True)
    (training,), (calibration,) = find_runs(experiment, "float"), find_runs(experiment, "calibration")
    assert "output_digest" not in training.record["metrics"]["best"]
    recorded = calibration.record["metrics"]["best"]["output_digest"]
    assert load_metadata(calibration.checkpoints / "best.safetensors")["output_digest"] == recorded
    capsys.readouterr()
    for stage, build, expected in (("calibration", calibrator, recorded), ("float", bev_trainer, None)):
        assert run(stage, experiment, build, "--predict", "--json") == 0
        assert json.loads(capsys.readouterr().out).get("output_digest") == expected
