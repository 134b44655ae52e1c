"""A small change of the spec changes few lines of the experiment, and only where it belongs."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from specgen.emit.lock import LOCK
from specgen.pipeline import CompiledSpec, generated

Compile = Callable[..., CompiledSpec]


def as_if_written(spec: CompiledSpec) -> Mapping[str, str]:
    """Files without the command line in their headers, as if what `--set` changes stood in the spec."""
    return generated(replace(spec, loaded=replace(spec.loaded, sets=()))).files


def changed_lines(before: str, after: str) -> int:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return sum(line.startswith("+") and not line.startswith("+++") for line in lines)


def test_another_backbone_needs_no_other_edit_and_changes_few_lines(compile_spec: Compile) -> None:
    before = generated(compile_spec("specs/bev_ipm.yaml")).files
    after = as_if_written(compile_spec("specs/bev_ipm.yaml", "model.backbone={type: resnet, depth: 50}"))
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"model.py", "README.md", "spec.yaml", LOCK}
    assert "in_channels=[512, 2048],  # from model.backbone" in after["model.py"]
    assert 5 < changed_lines(before["model.py"], after["model.py"]) < 15


@pytest.mark.parametrize(
    ("change", "file"),
    [
        ("model.bev_transforms.0.rot=[-0.5, 0.5]", "augment.py"),
        ("march=nash-e", "target.py"),
        ("quantization.observer=kl", "target.py"),
        ("quantization.rules.2.bits=16", "target.py"),
        ("stages.calibration.num_steps=51", "stages/calibration.py"),
        ("stages.qat.optimizer.lr=3e-5", "stages/qat.py"),
        ("stages.float.num_epochs=41", "stages/float.py"),
        ("model.bev_decoders.0.task_weight=3.0", "tasks.py"),
        ("data.val.batch_size=3", "data.py"),
    ],
)
def test_one_changed_value_is_one_changed_line(compile_spec: Compile, change: str, file: str) -> None:
    before = generated(compile_spec("specs/bev_ipm.yaml")).files
    after = as_if_written(compile_spec("specs/bev_ipm.yaml", change))
    python = {name for name in before if before[name] != after[name] and name.endswith(".py")}
    assert python == {file}
    assert changed_lines(before[file], after[file]) == 1
