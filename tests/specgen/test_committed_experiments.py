"""The experiments in the repository are what their specs build: showcase and golden record in one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from specgen.pipeline import CompiledSpec, generated
from specgen.write import difference

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(path.stem for path in (ROOT / "specs").glob("*.yaml"))


def test_all_ready_specs_are_built() -> None:
    assert NAMES == ["bev_ipm", "bev_ipm_tiny"]
    assert sorted(path.parent.name for path in (ROOT / "experiments").glob("*/experiment.lock")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_nothing_has_drifted(compile_spec: Callable[..., CompiledSpec], name: str) -> None:
    experiment = generated(compile_spec(f"specs/{name}.yaml"))
    assert experiment.name == name
    diff = difference(ROOT / "experiments" / name, experiment.files)
    assert not diff, f"{diff}\nrun `specgen build specs/{name}.yaml` and read the diff"
