"""The other ways to break a rule than its golden case, and what looks wrong but is right."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_spec import BASE, EXPORT, INT_INFER, messages, with_stages

from runtime.evaluation.nuscenes_detection import evaluate_detections
from runtime.geometry.class_names import DETECTION_CLASSES
from runtime.tasks.segmentation.metric import SegmentationIoU
from specgen.document import Node
from specgen.locate import ready_specs
from specgen.pipeline import compiled
from specgen.rules.stages import METRIC_VALUES
from specgen.rules.tasks import DATASET_CLASSES
from specgen.sources import Sources

CALIBRATION_STAGE = BASE[BASE.index("  calibration:\n") : BASE.index("  qat:\n")]
QAT_CONVERTERS = (
    "      converters:\n        - {type: Float2QAT}\n        - {type: LoadCheckpoint, stage: calibration}\n"
)
LOADS_IN_FLOAT = """\
    model_convert_pipeline:
      type: ModelConvertPipeline
      converters: [{type: LoadCheckpoint, stage: float}]
"""
BEV_ENCODER_BACKBONE = "    backbone: {type: resnet, depth: 18}\n"


@pytest.mark.parametrize(
    ("edit", "code", "message", "hint"),
    [
        (
            ("{type: BevImgResize, scales: [0.54, 0.62]}", "{type: BevImgResize}"),
            "E301",
            "`data.train.dataset.transforms.0` has neither `size` nor `scales`, it needs one of them",
            None,
        ),
        (
            ("scales: [0.54, 0.62]", "scales: [0.62, 0.54]"),
            "E302",
            "`data.train.dataset.transforms.0.scales` is [0.62, 0.54], "
            "but a range starts with the lower value",
            "write [0.54, 0.62]",
        ),
        (
            (
                "        - {type: BevImgRotate, rot: [-2.0, 2.0]}\n",
                "        - {type: BevImgTransformWrapper, transforms: [{type: PILToTensor}]}\n",
            ),
            "E307",
            "`data.train.dataset.transforms` has a `BevImgTransformWrapper` before its end",
            "put it last: other transforms work on whole views",
        ),
        (
            (BEV_ENCODER_BACKBONE, "    backbone: {type: resnet, include_top: true}\n"),
            "E308",
            "`model.bev_encoder.backbone.include_top` is true, but the model needs the feature maps",
            "write `include_top: false`",
        ),
        (
            ("indexes: [-3, -1]", "indexes: [-1, -3]"),
            "E311",
            "`model.neck.indexes` is [-1, -3], which does not go from shallow to deep",
            None,
        ),
        (
            ("indexes: [-3, -1]", "indexes: [2, -3]"),
            "E311",
            "`model.neck.indexes` is [2, -3], which does not go from shallow to deep",
            None,
        ),
        (
            ("num_outs: 5", "num_outs: 4"),
            "E313",
            "`model.bev_encoder.neck.num_outs` is 4, but 5 levels come in",
            None,
        ),
        (
            ("start_level: 0", "start_level: 0\n      end_level: 5"),
            "E313",
            "`model.bev_encoder.neck` uses levels 0 to 5, but the backbone gives 5 maps",
            None,
        ),
        (
            ("out_strides: [2, 4, 8, 16, 32]", "out_strides: [4, 2]"),
            "E314",
            "`model.bev_encoder.neck.out_strides` is [4, 2], but the levels have strides [2, 4, 8, 16, 32]",
            None,
        ),
        (
            ("input_index: 0", "input_index: 5"),
            "E315",
            "`model.bev_decoders.0.head.input_index` is 5, "
            "but the BEV encoder gives 5 maps: 32@2, 32@4, 32@8, 32@16, 32@32",
            None,
        ),
        (
            ("bev_upscale: 2", "bev_upscale: 1"),
            "E325",
            "`model.bev_decoders.0.head` works on a map of stride 2, but `bev_upscale` 1 asks for stride 1",
            None,
        ),
        (
            ("[car, truck, construction_vehicle, bus,", "[cars, truck, construction_vehicle, bus,"),
            "E333",
            "`model.bev_decoders.1.target.class_names` has `cars`, which is no class of the dataset",
            "did you mean `car`?",
        ),
        (
            ("[pedestrian, traffic_cone]]", "[pedestrian, traffic_cone, car]]"),
            "E334",
            "`model.bev_decoders.1.head.tasks` has `car` twice",
            None,
        ),
        (
            ("[pedestrian, traffic_cone]]", "[pedestrian]]"),
            "E334",
            "`model.bev_decoders.1.head.tasks` lacks `traffic_cone`: no task would find it",
            None,
        ),
        (
            ("max_num: 500", "max_num: 500, max_pool_kernel: 2"),
            "E337",
            "`model.bev_decoders.1.decoder.max_pool_kernel` is 2, but a kernel's side is odd",
            None,
        ),
        (
            ("[1.0, 5.0, 5.0, 5.0]", "2.0"),
            "E343",
            "`model.bev_decoders.0.loss.class_weight` is 2.0, but it needs 4 numbers, one a class",
            None,
        ),
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
    if edit[0] not in BASE:
        # An argument that the base leaves to its default goes where it belongs.
        edit = ("        nms_type:", f"        {edit[1].split(', ')[1]}\n        nms_type:")
    assert (code, message, hint) in messages(tmp_path, edit)


def test_default_of_best_that_nobody_wrote(tmp_path: Path) -> None:
    """A model without detection has no NDS, by which `Checkpoint` judges where nothing is written."""
    found = messages(
        tmp_path, (", best: NDS", ""), ("{type: NuscenesDetectionMetric, name: bev_det}\n      - ", "")
    )
    message = "`stages.float.callbacks.1.best` is `NDS`, but the metrics give mIoU, mIoU_all"
    assert ("E366", message, "write `best: mIoU` beside `type`") in found


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


def test_names_are_those_of_the_runtime() -> None:
    """The compiler imports no runtime, so that it repeats these names."""
    assert DATASET_CLASSES == DETECTION_CLASSES
    results = {
        "SegmentationIoU": SegmentationIoU().compute(),
        "NuscenesDetectionMetric": evaluate_detections([], {}).summary(),
    }
    assert {name: {key for key in values if "/" not in key} for name, values in results.items()} == {
        name: set(values) for name, values in METRIC_VALUES.items()
    }
