"""Rules of learning stages and quantisation: the other ways to break one than its golden case."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_spec import BASE, messages

CALIBRATION_STAGE = BASE[BASE.index("  calibration:\n") : BASE.index("  qat:\n")]
QAT_CONVERTERS = (
    "      converters:\n        - {type: Float2QAT}\n        - {type: LoadCheckpoint, stage: calibration}\n"
)
LOADS_IN_FLOAT = """\
    model_convert_pipeline:
      type: ModelConvertPipeline
      converters: [{type: LoadCheckpoint, stage: float}]
"""


@pytest.mark.parametrize(
    ("edit", "code", "message", "hint"),
    [
        (
            (CALIBRATION_STAGE, ""),
            "E361",
            "the stage `qat` starts from `calibration`, but there is no such stage",
            None,
        ),
        (
            (QAT_CONVERTERS, "      converters: []\n"),
            "E363",
            "the stage `qat` loads no checkpoint: it would start from random weights",
            "end its `converters` with `{type: LoadCheckpoint, stage: calibration}`",
        ),
        (
            (QAT_CONVERTERS, "      converters: []\n"),
            "E381",
            "the stage `qat` does not quantise the model",
            "begin its `converters` with `{type: Float2QAT}`",
        ),
        (
            ("{type: LoadCheckpoint, stage: float}", "{type: LoadCheckpoint}"),
            "E368",
            "`stages.calibration.model_convert_pipeline.converters.0` has neither `checkpoint_path` nor "
            "`stage`, it needs one of them",
            None,
        ),
        (
            ("{type: LoadCheckpoint, stage: float}", "{type: LoadCheckpoint, stage: flaot}"),
            "E369",
            "`stages.calibration.model_convert_pipeline.converters.0.stage` is `flaot`, "
            "but `calibration` starts from `float`",
            "did you mean `float`?",
        ),
        (
            ("{type: LoadCheckpoint, stage: float}", "{type: LoadCheckpoint, stage: qat}"),
            "E369",
            "`stages.calibration.model_convert_pipeline.converters.0.stage` is `qat`, "
            "but `calibration` starts from `float`",
            "write `stage: float`",
        ),
        (
            ("    num_epochs: 5\n", "    num_epochs: 5\n" + LOADS_IN_FLOAT),
            "E369",
            "`stages.float.model_convert_pipeline.converters.0.stage` is `float`, "
            "but no stage comes before `float`",
            "name a file with `checkpoint_path`",
        ),
        (
            ("        - {type: Float2Calibration}\n", "        - {type: Float2Calibration}\n" * 2),
            "E381",
            "`stages.calibration.model_convert_pipeline.converters.2` quantises the model, "
            "which `Float2Calibration` did already",
            None,
        ),
        (
            ("        - {type: Float2Calibration}\n", ""),
            "E381",
            "the stage `calibration` does not quantise the model",
            "end its `converters` with `{type: Float2Calibration}`",
        ),
        (
            (
                "        - {type: LoadCheckpoint, stage: float}\n        - {type: Float2Calibration}\n",
                "        - {type: Float2Calibration}\n        - {type: LoadCheckpoint, stage: float}\n",
            ),
            "E382",
            "`stages.calibration.model_convert_pipeline.converters.1` loads in the wrong place: "
            "the model is quantised by then, and the weights of `float` are those of a float one",
            "put `LoadCheckpoint` before `Float2Calibration`",
        ),
        (
            ("      - {type: Checkpoint, best: NDS}\n", ""),
            "E385",
            "the stage `float` saves no weights, but `calibration` starts from them",
            "add `{type: Checkpoint}` to its `callbacks`",
        ),
        (
            ("keep_float: true", "keep_float: true, observer: kl"),
            "E393",
            "`quantization.rules.3.observer` is `kl`, but a tensor kept in float has no codes",
            "leave out `observer` or `keep_float`",
        ),
        (
            ("{op: output, bits: 32}", "{op: points, bits: 32}"),
            "E395",
            "`quantization.rules.2.bits` is 32, but `op` is `points`: "
            "only an output can stay as it was summed",
            "write 8 or 16",
        ),
        (
            ("{op: output, bits: 32}", "{op: output, bits: 32, scale: 0.5}"),
            "E395",
            "`quantization.rules.2.scale` is 0.5, but the scale of 32 bits follows from inputs and weights",
            "leave out `scale`",
        ),
        (
            ("scale: 0.0078125", "scale: -0.5"),
            "E106",
            "`quantization.rules.0.scale` is -0.5, expected more than 0",
            None,
        ),
        (
            ("{type: Float2QAT}", "{type: Float2QAT, image_size: [96, 128]}"),
            "E201",
            "`stages.qat.model_convert_pipeline.converters.0.image_size` is [96, 128], "
            "but `data.val` gives images of 96 x 256",
            "leave `image_size` out: it is taken from `data.val`",
        ),
        (
            ("{type: Float2Calibration}", "{type: Float2Calibration, num_views: 4}"),
            "E201",
            "`stages.calibration.model_convert_pipeline.converters.1.num_views` is 4, "
            "but the view transformer has 6",
            "leave `num_views` out: it is taken from the view transformer",
        ),
        (
            ("{type: CyclicLrUpdater}", "{type: WarmupStepLrUpdater, milestones: [3, 2]}"),
            "E367",
            "`stages.float.callbacks.0.milestones` is [3, 2], which does not ascend",
            None,
        ),
    ],
)
def test_broken(tmp_path: Path, edit: tuple[str, str], code: str, message: str, hint: str | None) -> None:
    assert (code, message, hint) in messages(tmp_path, edit)


def test_default_of_best_that_nobody_wrote(tmp_path: Path) -> None:
    """A model without detection has no NDS, by which `Checkpoint` judges where nothing is written."""
    found = messages(
        tmp_path, (", best: NDS", ""), ("{type: NuscenesDetectionMetric, name: bev_det}\n      - ", "")
    )
    message = "`stages.float.callbacks.1.best` is `NDS`, but the metrics give mIoU, mIoU_all"
    assert ("E366", message, "write `best: mIoU` beside `type`") in found
