"""Rules of the stages after training, right and broken."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_spec import BASE, EXPORT, INT_INFER, messages, with_stages


@pytest.mark.parametrize(
    ("edits", "found"),
    [
        ([with_stages(EXPORT, INT_INFER)], []),
        ([with_stages(INT_INFER, EXPORT)], []),
        (
            [
                ("    callbacks: []\n    sync_bn", "    callbacks: [{type: Checkpoint}]\n    sync_bn"),
                with_stages(EXPORT.replace("stage: calibration", "stage: qat"), INT_INFER),
            ],
            [],
        ),
        ([with_stages(EXPORT.replace("stage: calibration", "checkpoint_path: old.safetensors"))], []),
        (
            [with_stages(INT_INFER)],
            [("E361", "the stage `int_infer` starts from `export`, but there is no such stage", None)],
        ),
        (
            [
                (BASE[BASE.index("  qat:\n") : BASE.index("quantization:\n")], ""),
                with_stages(EXPORT.replace("stage: calibration", "stage: qat")),
            ],
            [("E361", "the stage `export` starts from `qat`, but there is no such stage", None)],
        ),
        (
            [with_stages(EXPORT.replace("        - {type: LoadCheckpoint, stage: calibration}\n", ""))],
            [
                (
                    "E363",
                    "the stage `export` loads no checkpoint: it would start from random weights",
                    "end its `converters` with `{type: LoadCheckpoint, stage: calibration}`",
                )
            ],
        ),
        (
            [with_stages(EXPORT.replace("stage: calibration", "stage: float"))],
            [
                (
                    "E369",
                    "`stages.export.model_convert_pipeline.converters.1.stage` is `float`, "
                    "but `export` starts from `calibration` or `qat`",
                    "write `stage: calibration`",
                )
            ],
        ),
        (
            [with_stages(EXPORT.replace("stage: calibration", "stage: quat"))],
            [
                (
                    "E369",
                    "`stages.export.model_convert_pipeline.converters.1.stage` is `quat`, "
                    "but `export` starts from `calibration` or `qat`",
                    "did you mean `qat`?",
                )
            ],
        ),
        (
            [with_stages(EXPORT.replace("Float2Calibration", "Float2QAT"))],
            [
                (
                    "E381",
                    "`stages.export.model_convert_pipeline.converters.0` is `Float2QAT`, "
                    "which does not fit this stage",
                    "use `Float2Calibration`",
                )
            ],
        ),
        (
            [with_stages(EXPORT.replace("        - {type: Float2Calibration}\n", ""))],
            [
                (
                    "E381",
                    "the stage `export` does not quantise the model",
                    "begin its `converters` with `{type: Float2Calibration}`",
                )
            ],
        ),
        (
            [
                with_stages(
                    EXPORT.replace("        - {type: Float2Calibration}\n", "")
                    + "        - {type: Float2Calibration}\n"
                )
            ],
            [
                (
                    "E382",
                    "`stages.export.model_convert_pipeline.converters.0` loads in the wrong place: the model "
                    "is still float here, and the weights of `calibration` are those of a quantised one",
                    "put `Float2Calibration` before `LoadCheckpoint`",
                )
            ],
        ),
        (
            [with_stages(EXPORT.replace("      qat_mode: fuse_bn\n", ""))],
            [
                (
                    "E384",
                    "`stages.export.model_convert_pipeline.qat_mode` is null, but `Float2Calibration` needs "
                    "batch normalisation folded into the convolutions",
                    "write `qat_mode: fuse_bn`",
                )
            ],
        ),
        (
            [with_stages(EXPORT.replace("stage: calibration", "stage: qat"))],
            [
                (
                    "E385",
                    "the stage `qat` saves no weights, but `export` starts from them",
                    "add `{type: Checkpoint}` to its `callbacks`",
                )
            ],
        ),
        (
            [with_stages(EXPORT, INT_INFER.replace("val_data_loader: val", "val_data_loader: vall"))],
            [
                (
                    "E351",
                    "`stages.int_infer.val_data_loader` is `vall`, but `data` has `train`, `val`",
                    "did you mean `val`?",
                )
            ],
        ),
    ],
)
def test_stages_after_training(
    tmp_path: Path, edits: list[tuple[str, str]], found: list[tuple[str, str, str | None]]
) -> None:
    assert messages(tmp_path, *edits) == found
