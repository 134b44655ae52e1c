"""The spec that a plan is applied to: a new one, that builds."""

from collections.abc import Callable
from pathlib import Path

import pytest

from specgen.int16_spec import write_int16_spec
from specgen.load import load
from specgen.pipeline import compiled, generated
from specgen.sources import Sources
from specgen.write import WriteError

ROOT = Path(__file__).resolve().parents[2]
RULES = [{"match": "backbone.stem", "bits": 16}, {"match": "neck.fusions.0.deep.pointwise", "bits": 16}]


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    folder = tmp_path / "specs"
    folder.mkdir()
    for name in ("bev_ipm.yaml", "bev_ipm_tiny.yaml"):
        (folder / name).write_text((ROOT / "specs" / name).read_text(encoding="utf-8"), encoding="utf-8")
    return folder


def test_whole_text(specs: Path) -> None:
    new = specs / "bev_ipm_tiny_int16.yaml"
    write_int16_spec(specs / "bev_ipm_tiny.yaml", RULES, new, why="the run 0007-calibration")
    assert new.read_text() == (
        "# bev_ipm_tiny with 2 tensors of int16, as the run 0007-calibration proposes.\n"
        "name: bev_ipm_tiny_int16\n"
        "extends: bev_ipm_tiny.yaml\n"
        "\n"
        "quantization:\n"
        "  rules:\n"
        "    - {match: img, bits: 8, scale: 0.0078125}\n"
        "    - {op: points, bits: 16}\n"
        "    - {op: output, bits: 32}\n"
        "    # Lists replace those of the spec that is extended: what follows is new.\n"
        "    - {match: backbone.stem, bits: 16}\n"
        "    - {match: neck.fusions.0.deep.pointwise, bits: 16}\n"
    )


def test_it_builds_and_only_the_rules_differ(specs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old_text = (specs / "bev_ipm_tiny.yaml").read_text()
    new = specs / "bev_ipm_tiny_int16.yaml"
    write_int16_spec(specs / "bev_ipm_tiny.yaml", RULES, new)
    monkeypatch.chdir(specs.parent)
    before, after = (
        compiled(Path("specs") / name, Sources(), ())
        for name in ("bev_ipm_tiny.yaml", "bev_ipm_tiny_int16.yaml")
    )
    experiment = generated(after)
    assert experiment.name == "bev_ipm_tiny_int16"
    assert any("backbone.stem" in text for text in experiment.files.values())
    old, changed = (dict(spec.root.plain()) for spec in (before, after))
    assert (
        changed["quantization"]["rules"][: len(old["quantization"]["rules"])] == old["quantization"]["rules"]
    )
    assert [
        {key: value for key, value in rule.items() if value is not None and key in ("match", "bits")}
        for rule in changed["quantization"]["rules"][-2:]
    ] == RULES
    for part in (old, changed):
        part.pop("name")
        part["quantization"] = {**part["quantization"], "rules": []}
    assert old == changed
    assert (specs / "bev_ipm_tiny.yaml").read_text() == old_text


def test_into_another_folder(specs: Path) -> None:
    (specs.parent / "mine").mkdir()
    new = specs.parent / "mine" / "wide.yaml"
    write_int16_spec(specs / "bev_ipm_tiny.yaml", RULES, new)
    root = load(new, str(new), Sources()).root
    assert root.plain_at("extends") in (None, "../specs/bev_ipm_tiny.yaml")
    assert root.plain_at("name") == "wide"
    assert len(root.plain_at("quantization", "rules")) == 5


def test_twice_keeps_the_first_rules(specs: Path) -> None:
    first, second = specs / "first.yaml", specs / "second.yaml"
    write_int16_spec(specs / "bev_ipm_tiny.yaml", RULES[:1], first)
    write_int16_spec(first, RULES[1:], second)
    rules = load(second, str(second), Sources()).root.plain_at("quantization", "rules")
    assert rules[-2:] == RULES


def test_variables_of_old_rules_are_put_in(specs: Path) -> None:
    old = specs / "with_variables.yaml"
    old.write_text(
        "name: with_variables\nextends: bev_ipm_tiny.yaml\nvars: {wide: 16}\n"
        "quantization:\n  rules:\n    - match: neck.*\n      bits: ${wide}\n"
    )
    new = specs / "new.yaml"
    write_int16_spec(old, RULES[:1], new)
    assert '    - {match: "neck.*", bits: 16}\n' in new.read_text()


def test_nothing_is_overwritten(specs: Path) -> None:
    old = (specs / "bev_ipm_tiny.yaml").read_text()
    with pytest.raises(WriteError, match="exists already") as caught:
        write_int16_spec(specs / "bev_ipm.yaml", RULES, specs / "bev_ipm_tiny.yaml")
    assert caught.value.hint == "remove it, or choose another name"
    assert (specs / "bev_ipm_tiny.yaml").read_text() == old


@pytest.mark.parametrize(
    "make", [lambda folder: ([], folder / "new.yaml"), lambda folder: (RULES, folder / "no" / "x.yaml")]
)
def test_nothing_is_written(
    specs: Path, make: Callable[[Path], tuple[list[dict[str, object]], Path]]
) -> None:
    rules, new = make(specs)
    with pytest.raises(WriteError):
        write_int16_spec(specs / "bev_ipm_tiny.yaml", rules, new)
    assert not new.exists()


def test_its_calibration_starts_from_the_same_float_weights(specs: Path) -> None:
    """The new experiment has no float run: the file that the old one calibrated from is named."""
    new = specs / "bev_ipm_tiny_int16.yaml"
    weights = "experiments/bev_ipm_tiny/runs/0002-float/checkpoints/best.safetensors"
    write_int16_spec(specs / "bev_ipm_tiny.yaml", RULES, new, float_weights=weights)
    assert new.read_text().endswith(
        "stages:\n"
        "  calibration:\n"
        "    model_convert_pipeline:\n"
        "      converters:\n"
        f"        - {{type: LoadCheckpoint, checkpoint_path: {weights}, allow_miss: true, verbose: true}}\n"
        "        - {type: Float2Calibration, convert_mode: eager}\n"
    )
    stage = generated(compiled(new, Sources())).files["stages/calibration.py"]
    assert f'checkpoint_path="{weights}"' in stage
