"""One mistake for each rule, and the full text that a person reads of it.

A case is `base.yaml` beside this file with a few words changed; `tests/golden/rules/` has the texts. After
a change of words, run this file as a script with the repository on `PYTHONPATH`: it writes the texts anew.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

import pytest

from specgen.diagnostic import SpecError
from specgen.pipeline import compiled
from specgen.report import rendered
from specgen.rules import RULES
from specgen.sources import Sources

HERE = Path(__file__).parent
BASE = (HERE / "base.yaml").read_text(encoding="utf-8")
GOLDEN = HERE.parents[1] / "golden" / "rules"

FLOAT_STAGE = BASE[BASE.index("  float:\n") : BASE.index("  calibration:\n")]
CALIBRATION_STAGE = BASE[BASE.index("  calibration:\n") :]
PIPELINE = BASE[BASE.index("    model_convert_pipeline:\n") :]

CASES: dict[str, list[tuple[str, str]]] = {
    "E301": [("size: [144, 256]}", "size: [144, 256], scales: [0.5, 0.6]}")],
    "E302": [("rot: [-0.1, 0.1]", "rot: [0.1, -0.1]")],
    "E303": [("{type: BevImgResize, size: [144, 256]}", "{type: BevImgResize, size: [90, 256]}")],
    "E304": [("        - {type: BevImgCrop, size: [96, 256], random: true}\n", "")],
    "E305": [("{type: BevImgCrop, size: [96, 256]}", "{type: BevImgCrop, size: [128, 256]}")],
    "E306": [
        ("size: [96, 256]}", "size: [100, 256]}"),
        ("size: [96, 256], random", "size: [100, 256], random"),
    ],
    "E307": [
        (
            "transforms: [{type: PILToTensor}, {type: Normalize}]}\n      bev_size",
            "transforms: [{type: Normalize}]}\n      bev_size",
        )
    ],
    "E308": [("include_top: false", "include_top: true")],
    "E311": [("indexes: [-3, -1]", "indexes: [-6, -1]")],
    "E312": [("feat_channels: [32, 32]", "feat_channels: [32]")],
    "E313": [("start_level: 0", "start_level: 5")],
    "E314": [("out_strides: [2, 4, 8, 16, 32]", "out_strides: [2, 3]")],
    "E315": [("bev_feat_index: -1", "bev_feat_index: 2")],
    "E321": [("[15.0, 20.0, 0.5]", "[15.0, 20.0, 0.6]")],
    "E322": [("bev_size: [32.0, 32.0, 1.0]\n    num_views", "bev_size: [24.0, 24.0, 1.0]\n    num_views")],
    "E323": [("task_size: [15.0, 20.0, 0.5]", "task_size: [15.0, 30.0, 0.5]")],
    "E324": [("[32.0, 32.0, 1.0]", "[30.0, 32.0, 1.0]")],
    "E325": [("input_index: 0", "input_index: 1")],
    "E326": [
        (
            "CenterPoint3dDecoder\n        out_size_factor: 1",
            "CenterPoint3dDecoder\n        out_size_factor: 2",
        )
    ],
    "E327": [("grid_quant_scale: 0.00390625", "grid_quant_scale: 0.005")],
    "E328": [("grid_quant_scale: 0.00390625", "grid_quant_scale: 0.0009765625")],
    "E329": [("num_views: 6", "num_views: 5")],
    "E331": [("loss_reg: {type: L1Loss}", "loss_reg: {type: CrossEntropyLossV2}")],
    "E332": [
        ("name: bev_det\n", "name: bev_seg\n"),
        ("NuscenesDetectionMetric, name: bev_det", "NuscenesDetectionMetric, name: bev_seg"),
    ],
    "E333": [("[car, truck, construction_vehicle, bus,", "[truck, car, construction_vehicle, bus,")],
    "E334": [("[pedestrian, traffic_cone]]", "[pedestrians, traffic_cone]]")],
    "E335": [("nms_type: [rotate, rotate, circle, rotate]", "nms_type: [rotate, rotate, circle]")],
    "E336": [("SegmentationIoU, name: bev_seg", "SegmentationIoU, name: map")],
    "E337": [("final_kernel: 3", "final_kernel: 4")],
    "E341": [
        ("num_classes: 4}\n      target", "num_classes: 5}\n      target"),
        ("[1.0, 5.0, 5.0, 5.0]", "[1.0, 5.0, 5.0, 5.0, 5.0]"),
    ],
    "E342": [("use_sigmoid: false", "use_sigmoid: true"), ("[1.0, 5.0, 5.0, 5.0]", "2.0")],
    "E343": [("[1.0, 5.0, 5.0, 5.0]", "[1.0, 5.0, 5.0]")],
    "E344": [("ignore_index: -1", "ignore_index: 255")],
    "E345": [("name: bev_seg, num_classes: 4", "name: bev_seg, num_classes: 3")],
    "E351": [("val_data_loader: val", "val_data_loader: vall")],
    "E352": [("num_devices: 1", "num_devices: 4")],
    "E361": [(FLOAT_STAGE, "")],
    "E362": [(CALIBRATION_STAGE, FLOAT_STAGE.replace("float:", "calibration:") + PIPELINE)],
    "E363": [(PIPELINE, "")],
    "E364": [("    num_epochs: 5\n", "    num_epochs: 5\n" + PIPELINE)],
    "E365": [
        (
            "      - {type: CyclicLrUpdater}\n",
            "      - {type: CyclicLrUpdater}\n      - {type: CosLrUpdater}\n",
        )
    ],
    "E366": [("best: NDS", "best: nds")],
    "E367": [("{type: CyclicLrUpdater}", "{type: WarmupStepLrUpdater, milestones: [3, 5]}")],
    "E371": [("march: bayes", "march: bayse")],
}


def shown(folder: Path, edits: list[tuple[str, str]]) -> tuple[set[str], str]:
    """Codes and text that the compiler gives for `base.yaml` with these words changed."""
    text = BASE
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    path = folder / "small.yaml"
    path.write_text(text, encoding="utf-8")
    sources = Sources()
    try:
        compiled(path, sources)
    except SpecError as error:
        return {item.code for item in error.diagnostics}, rendered(error.diagnostics, sources)
    return set(), ""


def test_base_is_right(tmp_path: Path) -> None:
    assert shown(tmp_path, []) == (set(), "")


def test_every_rule_has_a_case_and_a_text() -> None:
    assert sorted(CASES) == sorted(RULES)
    assert sorted(path.stem for path in GOLDEN.glob("*.txt")) == sorted(RULES)


@pytest.mark.parametrize("code", sorted(CASES))
def test_text(code: str, tmp_path: Path) -> None:
    codes, text = shown(tmp_path, CASES[code])
    # One mistake is one kind of message: the rules do not report the same thing twice.
    assert codes == {code}
    assert text == (GOLDEN / f"{code}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("code", sorted(RULES))
def test_rule_is_its_docstring(code: str) -> None:
    text = (RULES[code].__doc__ or "").strip()
    assert re.fullmatch(r"[A-Z`].*\.", text), "one sentence that says what must be"


def test_all_mistakes_at_once_in_file_order(tmp_path: Path) -> None:
    chosen = ("E337", "E371", "E302", "E366")
    codes, text = shown(tmp_path, [edit for code in chosen for edit in CASES[code]])
    assert codes == set(chosen)
    assert re.findall(r"error\[(E\d+)\]", text) == ["E371", "E302", "E337", "E366"]


if __name__ == "__main__":
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for name, changes in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            found, words = shown(Path(folder), changes)
        (GOLDEN / f"{name}.txt").write_text(words, encoding="utf-8")
        if found != {name}:
            print(name, "gives", sorted(found), file=sys.stderr)
