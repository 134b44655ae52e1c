"""What looks wrong but is right, and the specs that come with specgen."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_spec import BASE, messages

from specgen.document import Node
from specgen.locate import ready_specs
from specgen.pipeline import compiled
from specgen.sources import Sources


@pytest.mark.parametrize(
    "edits",
    [
        [("best: NDS", "best: bev_det/NDS")],
        [("best: NDS", "best: IoU/divider")],
        [("best: NDS", "best: bev_det/AP/car")],
        [("best: NDS", "best: mIoU")],
        [("grid_quant_scale: 0.00390625", "grid_quant_scale: 0.125")],
        [("indexes: [-3, -1]", "indexes: [1, 4]")],
        [("out_strides: [2, 4, 8, 16, 32]", "out_strides: [2]")],
        # Maps inside the encoder may be of any size: only those that it gives are cells of the grid.
        [("out_strides: [2, 4, 8, 16, 32]", "out_strides: [2]"), ("[32.0, 32.0, 1.0]", "[25.0, 27.0, 1.0]")],
        [("    sampler: {type: DistributedSampler}\n", "")],
        [
            ("use_bce: false", "use_bce: true"),
            ("use_sigmoid: false", "use_sigmoid: true"),
            ("num_classes: 4}\n      target", "num_classes: 3}\n      target"),
            ("[1.0, 5.0, 5.0, 5.0]", "2.0"),
        ],
        [("[32.0, 32.0, 1.0]", "[32.0, 48.0, 0.5]")],
        # 51.2 / 0.8 is 64.0 only up to the last bit: it is a whole number of cells all the same.
        [("[32.0, 32.0, 1.0]", "[51.2, 51.2, 0.8]")],
        [("size: [96, 256]", "size: [128, 256]")],
        # QAT is optional, and so is the section of its settings.
        [(BASE[BASE.index("  qat:\n") : BASE.index("quantization:\n")], "")],
        [(BASE[BASE.index("quantization:\n") :], "")],
        [("{op: output, bits: 32}", "{match: bev_det.*, op: output, bits: 32}")],
        [("LoadCheckpoint, stage: float", "LoadCheckpoint, checkpoint_path: float.safetensors")],
        [("LoadCheckpoint, stage: calibration", "LoadCheckpoint, checkpoint_path: old.safetensors")],
    ],
)
def test_right(tmp_path: Path, edits: list[tuple[str, str]]) -> None:
    assert messages(tmp_path, *edits) == []


@pytest.mark.parametrize("name", ["bev_ipm", "bev_ipm_tiny"])
def test_ready_specs_are_right(name: str) -> None:
    root: Node = compiled(ready_specs()[name], Sources()).root
    assert root.plain_at("name") == name


def test_bce_by_the_variables_of_the_ready_spec() -> None:
    sets = ("vars.use_bce=true", "vars.seg_classes=3", "vars.seg_class_weight=2.0")
    root = compiled(ready_specs()["bev_ipm"], Sources(), sets).root
    decoder = root.at("model", "bev_decoders", 0)
    flags = [("use_bce",), ("target", "use_bce"), ("loss", "use_sigmoid"), ("decoder", "use_bce")]
    assert all(decoder.plain_at(*path) is True for path in flags)
    assert decoder.plain_at("target", "num_classes") == 3
