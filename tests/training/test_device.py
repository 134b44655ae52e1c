import json
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.errors import RunError
from runtime.training.device import lightning_device_arguments, resolve_device


@pytest.mark.parametrize("device", ["banana", "cuda:x", "cuda:", "xla", ""])
def test_what_is_no_device_is_refused(device: str) -> None:
    with pytest.raises(RunError) as caught:
        resolve_device(device)
    assert str(caught.value) == (
        f"error: `{device}` is not a device that a stage can run on\nhint: use `cpu`, `cuda` or `cuda:1`"
    )


def test_one_device_runs_without_data_parallel() -> None:
    assert lightning_device_arguments("cuda:1", 1) == {
        "accelerator": "gpu",
        "devices": [1],
        "strategy": "auto",
    }


def test_two_processes_train_a_model_with_an_idle_part(experiment: Path) -> None:
    script = Path(__file__).with_name("toy_ddp_stage.py")
    ended = subprocess.run(
        [sys.executable, str(script), str(experiment)], capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 0, ended.stderr
    record = json.loads((experiment / "runs" / "0001-float" / "run.json").read_text())
    assert record["status"] == "finished" and record["metrics"]["last"]["step"] == 4
    assert "validation of 3 samples" in ended.stderr  # of both processes
