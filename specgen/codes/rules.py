"""E3xx: a remedy and an example for each rule; what it means is the rule's docstring.

An example is `base.yaml` with a few words changed, and breaks no other rule.
"""

from __future__ import annotations

from specgen.codes.entry import Entry
from specgen.codes.example import Example, base_text
from specgen.rules import RULES

_BASE = base_text()
_FLOAT_STAGE = _BASE[_BASE.index("  float:\n") : _BASE.index("  calibration:\n")]
_CALIBRATION_STAGE = _BASE[_BASE.index("  calibration:\n") : _BASE.index("  qat:\n")]
_PIPELINE = _CALIBRATION_STAGE[_CALIBRATION_STAGE.index("    model_convert_pipeline:\n") :]

_REMEDIES = {
    "E301": "Keep the one that is meant: `size` for a fixed size, `scales` for a random one.",
    "E302": "Swap the two values.",
    "E303": "Crop to less, or scale the images to more.",
    "E304": "End the geometric transforms of the loader with a crop.",
    "E305": "Give all loaders the same last crop, best by a variable.",
    "E306": "Crop to a multiple of that stride, or let the neck use finer maps only.",
    "E307": "Put one `BevImgTransformWrapper` at the end, with `PILToTensor` first in it.",
    "E308": "Write `include_top: false`, or leave it out.",
    "E309": "Write the angles in the unit of the property, as the hint shows.",
    "E311": "Write indexes of the maps that the message names, from shallow to deep.",
    "E312": "Write one number of channels for each index.",
    "E313": "Choose levels that the backbone gives, or ask for more `num_outs`.",
    "E314": "Write strides of the levels, the finest first, or leave `out_strides` out for all of them.",
    "E315": "Write the index of one of the maps that the message names.",
    "E321": "Choose a range that is a whole number of cells, or another size of cell.",
    "E322": "Use one variable, such as `${bev_size}`, for both.",
    "E323": "Use one variable, such as `${map_size}`, for both.",
    "E324": "Choose a range or cells that make sides which the stride divides.",
    "E325": "Let the head take the map of that stride (`input_index`), or change `bev_upscale`.",
    "E326": "Leave it out of the decoder, or write the target's.",
    "E327": "Leave it out: the finest step that fits is derived. Or write a power of two.",
    "E328": "Leave it out: the finest step that fits is derived. Or write a coarser one.",
    "E329": "Write `num_views: 6`.",
    "E331": "Use the parts of the task: the hint names the one that fits.",
    "E332": "Rename one of the tasks, and the metric that goes with it.",
    "E333": "Write the classes in the order that the hint shows, or leave them to a variable of the parent.",
    "E334": "Put every class into one group, spelled as in `class_names`.",
    "E335": "Write one entry for each group of `tasks`.",
    "E336": "Write the name of the task that the metric is to measure.",
    "E337": "Write an odd number.",
    "E338": "Remove one of the two.",
    "E339": "Write `decode_to_ego: true`, or take the metric out of `val_metrics`.",
    "E341": "Write the number that the message names, and as many `class_weight`s.",
    "E342": "Use one variable, such as `${use_bce}`, for both.",
    "E343": "Write one weight a class, or a single number when `use_sigmoid` is true.",
    "E344": "Write the same label for both, or leave both out.",
    "E345": "Write `num_classes: 4`, or leave it out.",
    "E351": "Write the name of one of the loaders, or add one to `data`.",
    "E352": "Add a `DistributedSampler` to each loader of the stage, or train on one device.",
    "E353": "Write `shuffle: false` in the loader, or give the stage another one.",
    "E361": "Add the stage that the message names, or take this one out.",
    "E362": "Use the trainer that the hint names.",
    "E363": "Add the `LoadCheckpoint` that the hint shows to the stage's `converters`.",
    "E364": "Move the converter to a later stage.",
    "E365": "Keep one of the schedules.",
    "E366": "Write one of the values that the message names.",
    "E367": "Write ascending epochs below `num_epochs`.",
    "E368": "Name a stage of this spec with `stage`, or a file with `checkpoint_path`.",
    "E369": "Write the stage that the message names; for other weights, name a file with `checkpoint_path`.",
    "E370": "Remove one of the two.",
    "E371": "Write one of the names that the message lists.",
    "E381": "Use the converter that the hint names, once.",
    "E382": "Swap the two, as the hint says.",
    "E383": "Write `sync_bn: false`, or leave it out.",
    "E384": "Write `qat_mode: fuse_bn` in the stage's `model_convert_pipeline`.",
    "E385": "Add `{type: Checkpoint}` to the callbacks of the stage that is loaded.",
    "E386": "Take the callback out.",
    "E387": "Take `LoadCheckpoint` out of the stage's `converters`.",
    "E388": "Give the network what the hint shows, or leave out `align_bpu`.",
    "E391": "Say with `match` or `op` which tensors are meant; what holds for all goes beside `rules`.",
    "E392": "Say what is different about these tensors, or remove the rule.",
    "E393": "Keep what is meant: `keep_float`, or codes.",
    "E394": "Keep what is meant: the fixed `scale`, or the `observer`.",
    "E395": "Write `{op: output, bits: 32}` for outputs; 16 bits are the finest that other tensors have.",
}

RULE_EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "E301": (("size: [144, 256]}", "size: [144, 256], scales: [0.5, 0.6]}"),),
    "E302": (("rot: [-0.1, 0.1]", "rot: [0.1, -0.1]"),),
    "E303": (("{type: BevImgResize, size: [144, 256]}", "{type: BevImgResize, size: [90, 256]}"),),
    "E304": (("        - {type: BevImgCrop, size: [96, 256], random: true}\n", ""),),
    "E305": (("{type: BevImgCrop, size: [96, 256]}", "{type: BevImgCrop, size: [128, 256]}"),),
    "E306": (
        ("size: [96, 256]}", "size: [100, 256]}"),
        ("size: [96, 256], random", "size: [100, 256], random"),
    ),
    "E307": (
        (
            "transforms: [{type: PILToTensor}, {type: Normalize}]}\n      bev_size",
            "transforms: [{type: Normalize}]}\n      bev_size",
        ),
    ),
    "E308": (("include_top: false", "include_top: true"),),
    "E309": (("{type: BevImgRotate, rot: [-2.0, 2.0]}", "{type: BevImgRotate, rot: [-0.0942, 0.0942]}"),),
    "E311": (("indexes: [-3, -1]", "indexes: [-6, -1]"),),
    "E312": (("feat_channels: [32, 32]", "feat_channels: [32]"),),
    "E313": (("start_level: 0", "start_level: 5"),),
    "E314": (("out_strides: [2, 4, 8, 16, 32]", "out_strides: [2, 3]"),),
    "E315": (("bev_feat_index: -1", "bev_feat_index: 2"),),
    "E321": (("[15.0, 20.0, 0.5]", "[15.0, 20.0, 0.6]"),),
    "E322": (("bev_size: [32.0, 32.0, 1.0]\n    num_views", "bev_size: [24.0, 24.0, 1.0]\n    num_views"),),
    "E323": (("task_size: [15.0, 20.0, 0.5]", "task_size: [15.0, 30.0, 0.5]"),),
    "E324": (("[32.0, 32.0, 1.0]", "[30.0, 32.0, 1.0]"),),
    "E325": (("input_index: 0", "input_index: 1"),),
    "E326": (
        (
            "CenterPoint3dDecoder\n        out_size_factor: 1",
            "CenterPoint3dDecoder\n        out_size_factor: 2",
        ),
    ),
    "E327": (("grid_quant_scale: 0.00390625", "grid_quant_scale: 0.005"),),
    "E328": (("grid_quant_scale: 0.00390625", "grid_quant_scale: 0.0009765625"),),
    "E329": (("num_views: 6", "num_views: 5"),),
    "E331": (("loss_reg: {type: L1Loss}", "loss_reg: {type: CrossEntropyLossV2}"),),
    "E332": (
        ("name: bev_det\n", "name: bev_seg\n"),
        ("NuscenesDetectionMetric, name: bev_det", "NuscenesDetectionMetric, name: bev_seg"),
    ),
    "E333": (("[car, truck, construction_vehicle, bus,", "[truck, car, construction_vehicle, bus,"),),
    "E334": (("[pedestrian, traffic_cone]]", "[pedestrians, traffic_cone]]"),),
    "E335": (("nms_type: [rotate, rotate, circle, rotate]", "nms_type: [rotate, rotate, circle]"),),
    "E336": (("SegmentationIoU, name: bev_seg", "SegmentationIoU, name: map"),),
    "E337": (("final_kernel: 3", "final_kernel: 4"),),
    "E338": (
        (
            "{type: SegmentationIoU, name: bev_seg, num_classes: 4}",
            "{type: SegmentationIoU, name: bev_seg}\n      - {type: SegmentationIoU, name: bev_seg}",
        ),
    ),
    "E339": (
        (
            "nms_threshold: [0.2, 0.2, 0.2, 0.5]",
            "nms_threshold: [0.2, 0.2, 0.2, 0.5]\n        decode_to_ego: false",
        ),
    ),
    "E341": (
        ("num_classes: 4}\n      target", "num_classes: 5}\n      target"),
        ("[1.0, 5.0, 5.0, 5.0]", "[1.0, 5.0, 5.0, 5.0, 5.0]"),
    ),
    "E342": (
        ("use_sigmoid: false", "use_sigmoid: true"),
        ("[1.0, 5.0, 5.0, 5.0]", "2.0"),
    ),
    "E343": (("[1.0, 5.0, 5.0, 5.0]", "[1.0, 5.0, 5.0]"),),
    "E344": (("ignore_index: -1", "ignore_index: 255"),),
    "E345": (("name: bev_seg, num_classes: 4", "name: bev_seg, num_classes: 3"),),
    "E351": (("val_data_loader: val\n    val_metrics:\n", "val_data_loader: vall\n    val_metrics:\n"),),
    "E352": (("num_devices: 1", "num_devices: 4"),),
    "E353": (
        (
            "    batch_size: 2\nstages",
            "    batch_size: 2\n    sampler: {type: DistributedSampler}\n    shuffle: true\nstages",
        ),
    ),
    "E361": ((_FLOAT_STAGE, ""),),
    "E362": ((_CALIBRATION_STAGE, _FLOAT_STAGE.replace("float:", "calibration:") + _PIPELINE),),
    "E363": (("        - {type: LoadCheckpoint, stage: float}\n", ""),),
    "E364": (
        (
            "    num_epochs: 5\n",
            "    num_epochs: 5\n" + _PIPELINE.replace("        - {type: LoadCheckpoint, stage: float}\n", ""),
        ),
    ),
    "E365": (
        (
            "      - {type: CyclicLrUpdater}\n",
            "      - {type: CyclicLrUpdater}\n      - {type: CosLrUpdater}\n",
        ),
    ),
    "E366": (("best: NDS", "best: nds"),),
    "E367": (("{type: CyclicLrUpdater}", "{type: WarmupStepLrUpdater, milestones: [3, 5]}"),),
    "E368": (("stage: float}", "stage: float, checkpoint_path: float.safetensors}"),),
    "E369": (("LoadCheckpoint, stage: calibration}", "LoadCheckpoint, stage: float}"),),
    "E370": (("      - {type: CyclicLrUpdater}\n", "      - {type: LossShow}\n      - {type: LossShow}\n"),),
    "E371": (("march: bayes", "march: bayse"),),
    "E381": (("{type: Float2QAT}", "{type: Float2Calibration}"),),
    "E382": (
        (
            "        - {type: Float2QAT}\n        - {type: LoadCheckpoint, stage: calibration}\n",
            "        - {type: LoadCheckpoint, stage: calibration}\n        - {type: Float2QAT}\n",
        ),
    ),
    "E383": (("sync_bn: false", "sync_bn: true"),),
    "E384": (
        (
            "qat_mode: fuse_bn\n      converters:\n        - {type: Float2QAT}",
            "converters:\n        - {type: Float2QAT}",
        ),
    ),
    "E385": (("callbacks: [{type: Checkpoint}]", "callbacks: []"),),
    "E386": (("callbacks: [{type: Checkpoint}]", "callbacks: [{type: Checkpoint}, {type: LossShow}]"),),
    "E387": (("quantization:\n", f"  check:\n    type: ModelChecker\n{_PIPELINE}quantization:\n"),),
    "E388": (
        (
            "quantization:\n",
            "  align_bpu: {type: BpuPredictor, val_data_loader: val, val_metrics: []}\n"
            "  compile: {type: HbmCompiler}\n"
            "  export:\n    type: HbirExporter\n"
            + _PIPELINE.replace("        - {type: LoadCheckpoint, stage: float}\n", "")
            + "        - {type: LoadCheckpoint, stage: calibration}\nquantization:\n",
        ),
    ),
    "E391": (("{op: points, bits: 16}", "{bits: 16}"),),
    "E392": (("{op: points, bits: 16}", "{op: points}"),),
    "E393": (("keep_float: true", "keep_float: true, bits: 16"),),
    "E394": (("bits: 8, scale: 0.0078125", "bits: 8, scale: 0.0078125, observer: mse"),),
    "E395": (("{op: output, bits: 32}", "{match: bev_det.*, bits: 32}"),),
}


def _entry(code: str) -> Entry:
    """Of a rule that was just added and has no example yet, only what it means."""
    edits = RULE_EXAMPLES.get(code)
    return Entry(
        (RULES[code].__doc__ or "").strip(), _REMEDIES.get(code, ""), Example(edits) if edits else None
    )


RULE_ENTRIES: dict[str, Entry] = {code: _entry(code) for code in RULES}
