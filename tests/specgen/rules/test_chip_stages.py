"""Rules on the stages of the chip: `check`, `compile`, `align_bpu`."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_spec import ALIGN_BPU, BASE, CHECK, COMPILE, EXPORT, INT_INFER, messages, with_stages

from specgen.document import WRITTEN
from specgen.locate import ready_specs
from specgen.pipeline import compiled
from specgen.rules.camera import frames_are_codes
from specgen.sources import Sources

Edit = tuple[str, str]
Said = tuple[str, str, str | None]

CAMERA = (
    "[{type: PILToTensor}, {type: Normalize}]",
    "[{type: PILToTensor}, {type: BgrToYuv444}, {type: Normalize}]",
)
ALL = with_stages(CHECK, EXPORT, INT_INFER, COMPILE, ALIGN_BPU)
IMG_RULE = "    - {match: img, bits: 8, scale: 0.0078125}\n"
NORMALIZE = "data.val.dataset.transforms.2.transforms.2"
NO_CAMERA = (
    "E388",
    "`data.val.dataset.transforms.2.transforms` does not end with `BgrToYuv444` and `Normalize`, "
    "but a camera gives YUV",
    "end with `{type: BgrToYuv444}, {type: Normalize, mean: 128.0, std: 128.0}`",
)


def of_images(rule: str) -> list[Edit]:
    return [CAMERA, ALL, (IMG_RULE, rule)]


@pytest.mark.parametrize(
    "edits",
    [
        [CAMERA, ALL],
        [with_stages(CHECK)],
        [with_stages(EXPORT, COMPILE)],
        # Without `align_bpu` nobody asks what a camera delivers.
        [with_stages(EXPORT, COMPILE), (IMG_RULE, "    - {match: img, bits: 16}\n")],
        # Another number of grey levels a code, as long as both agree.
        [
            (CAMERA[0], CAMERA[1].replace("{type: Normalize}", "{type: Normalize, std: 64.0}")),
            ALL,
            ("scale: 0.0078125", "scale: 0.015625"),
        ],
        of_images("    - {op: input, scale: 0.0078125}\n"),
        of_images('    - {match: "im*", observer: kl}\n' + IMG_RULE),
        of_images(IMG_RULE + "    - {match: img, op: conv, bits: 16}\n"),
    ],
)
def test_right(tmp_path: Path, edits: list[Edit]) -> None:
    assert messages(tmp_path, *edits) == []


@pytest.mark.parametrize(
    ("edits", "found"),
    [
        (
            [with_stages(COMPILE)],
            [("E361", "the stage `compile` starts from `export`, but there is no such stage", None)],
        ),
        (
            [CAMERA, with_stages(EXPORT, ALIGN_BPU)],
            [("E361", "the stage `align_bpu` starts from `compile`, but there is no such stage", None)],
        ),
        (
            [CAMERA, with_stages(EXPORT, COMPILE, INT_INFER.replace("HbirPredictor", "BpuPredictor"))],
            [
                (
                    "E362",
                    "`stages.int_infer.type` is `BpuPredictor`, which does not fit this stage",
                    "use `HbirPredictor`",
                )
            ],
        ),
        (
            [with_stages(CHECK.replace("[{type: Float2Calibration}]", "[]"))],
            [
                (
                    "E381",
                    "the stage `check` does not quantise the model",
                    "end its `converters` with `{type: Float2Calibration}`",
                )
            ],
        ),
        (
            [with_stages(CHECK.replace("Float2Calibration", "Float2QAT"))],
            [
                (
                    "E381",
                    "`stages.check.model_convert_pipeline.converters.0` is `Float2QAT`, "
                    "which does not fit this stage",
                    "use `Float2Calibration`",
                )
            ],
        ),
        *(
            (
                [
                    with_stages(
                        CHECK.replace("Calibration}", f"Calibration}}, {{type: LoadCheckpoint{what}}}")
                    )
                ],
                [
                    (
                        "E387",
                        "`stages.check.model_convert_pipeline.converters.1` loads weights, "
                        "which `check` has no use for",
                        "leave out `LoadCheckpoint`",
                    )
                ],
            )
            for what in (", stage: float", ", checkpoint_path: old.safetensors", "")
        ),
        ([ALL], [NO_CAMERA]),
        ([(CAMERA[0], CAMERA[1].replace(", {type: Normalize}", "")), ALL], [NO_CAMERA]),
        ([(CAMERA[0], "[{type: PILToTensor}]"), ALL], [NO_CAMERA]),
        (
            [(CAMERA[0], CAMERA[1].replace("{type: Normalize}", "{type: Normalize, mean: 127.5}")), ALL],
            [("E388", f"`{NORMALIZE}.mean` is 127.5, but the chip subtracts 128", "write `mean: 128.0`")],
        ),
        *(
            (
                of_images(rule),
                [
                    (
                        "E388",
                        "no rule of `quantization` fixes the scale of `img`, "
                        "but bytes of a camera are its codes",
                        "add `{match: img, bits: 8, scale: 0.0078125}`",
                    )
                ],
            )
            for rule in ("", IMG_RULE.replace("img", "other"), IMG_RULE.replace("match: img", "op: conv"))
        ),
        (
            [(CAMERA[0], CAMERA[1].replace("{type: Normalize}", "{type: Normalize, std: 64.0}")), ALL],
            [
                (
                    "E388",
                    f"a code of `img` is 0.0078125, but `{NORMALIZE}.std` is 64.0: "
                    "bytes of a camera would not be its codes",
                    "write the `scale` 0.015625",
                )
            ],
        ),
        (
            of_images(IMG_RULE + "    - {op: input, bits: 16}\n"),
            [("E388", "`img` has 16 bits, but a camera gives bytes", "write `bits: 8`")],
        ),
        (
            [
                CAMERA,
                with_stages(EXPORT, COMPILE, ALIGN_BPU.replace("loader: val", "loader: vall")),
            ],
            [
                (
                    "E351",
                    "`stages.align_bpu.val_data_loader` is `vall`, but `data` has `train`, `val`",
                    "did you mean `val`?",
                )
            ],
        ),
    ],
)
def test_wrong(tmp_path: Path, edits: list[Edit], found: list[Said]) -> None:
    assert messages(tmp_path, *edits) == found


@pytest.mark.parametrize("source", ["nv12", "yuv444"])
def test_nv12_has_even_sizes(source: str) -> None:
    """Strides of the shipped parts are even, so that E306 tells of odd images first."""
    root = compiled(ready_specs()["bev_ipm"], Sources(), (f"stages.align_bpu.input_source={source}",)).root
    path = ("data", "val", "dataset", "transforms", 1, "size")
    assert list(frames_are_codes(root)) == []
    found = [one.message for one in frames_are_codes(root.with_value(path, [511, 960], WRITTEN))]
    told = "the images of `val` are 511 x 960, but NV12 has one chroma for 2 x 2 pixels"
    assert found == ([told] if source == "nv12" else [])


def test_the_base_has_none_of_these_stages() -> None:
    assert all(f"  {name}:" not in BASE for name in ("check", "compile", "align_bpu"))
