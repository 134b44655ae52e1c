"""Rules on the stages: order, trainers, checkpoints and callbacks."""

from __future__ import annotations

from collections.abc import Iterator

from specgen.document import Node, dotted
from specgen.rules.components import converters, stages
from specgen.rules.finding import Finding

ORDER = ("float", "calibration")
_TRAINERS = {"float": "distributed_data_parallel_trainer", "calibration": "Calibrator"}
_KNOWN_TRAINERS = set(_TRAINERS.values())
_SCHEDULES = ("CyclicLrUpdater", "WarmupStepLrUpdater", "CosLrUpdater")
METRIC_VALUES = {
    "NuscenesDetectionMetric": ("NDS", "mAP", "mATE", "mASE", "mAOE", "mAVE", "mAAE"),
    "SegmentationIoU": ("mIoU", "mIoU_all"),
}


def earlier_stages_exist(document: Node) -> Iterator[Finding]:
    """Calibration starts from what float training made."""
    names = [name for name, _ in stages(document)]
    for name, stage in stages(document):
        position = ORDER.index(name)
        if position > 0 and ORDER[position - 1] not in names:
            message = f"the stage `{name}` starts from `{ORDER[position - 1]}`, but there is no such stage"
            yield Finding(message, stage.key_span or stage.span)


def trainer_fits_stage(document: Node) -> Iterator[Finding]:
    """`float` has a trainer that learns, `calibration` has a `Calibrator`."""
    for name, stage in stages(document):
        if stage.type in _KNOWN_TRAINERS and stage.type != _TRAINERS[name]:
            message = f"`stages.{name}.type` is `{stage.type}`, which does not fit this stage"
            yield Finding(message, stage.at("type").span, hint=f"use `{_TRAINERS[name]}`")


def later_stages_load(document: Node) -> Iterator[Finding]:
    """A stage after float training begins with `LoadCheckpoint`, before anything converts the model."""
    for name, stage in stages(document):
        if name == "float":
            continue
        first = next(iter(converters(stage)), None)
        if first is None:
            message = f"the stage `{name}` loads no checkpoint: it would start from random weights"
            hint = "add a `model_convert_pipeline` whose `converters` begin with `LoadCheckpoint`"
            yield Finding(message, stage.at("type").span, hint=hint)
        elif first.type != "LoadCheckpoint":
            message = (
                f"the stage `{name}` begins with `{first.type}`, but a checkpoint has to be loaded before"
            )
            yield Finding(message, first.at("type").span, hint="put `LoadCheckpoint` first")


def float_stays_float(document: Node) -> Iterator[Finding]:
    """Float training does not quantise the model."""
    stage = document.get("stages", "float")
    for index, converter in enumerate(converters(stage) if stage else ()):
        if converter.type == "Float2Calibration":
            place = dotted(("stages", "float", "model_convert_pipeline", "converters", index))
            yield Finding(
                f"`{place}` quantises the model, which is for a later stage", converter.at("type").span
            )


def one_schedule(document: Node) -> Iterator[Finding]:
    """A stage has at most one schedule of the learning rate."""
    for name, stage in stages(document):
        callbacks = stage.get("callbacks")
        found = [item for item in (callbacks.elements() if callbacks else ()) if item.type in _SCHEDULES]
        for extra in found[1:]:
            yield Finding(
                f"`stages.{name}.callbacks` has `{extra.type}`, "
                f"but `{found[0].type}` sets the learning rate already",
                extra.at("type").span,
                ((found[0].at("type").span, "the first schedule"),),
            )


def best_is_measured(document: Node) -> Iterator[Finding]:
    """`best` of `Checkpoint` is a value that one of the stage's metrics gives, or `<metric>/<value>`."""
    for name, stage in stages(document):
        metrics, callbacks = stage.get("val_metrics"), stage.get("callbacks")
        if (
            metrics is None
            or callbacks is None
            or any(m.type not in METRIC_VALUES for m in metrics.elements())
        ):
            continue
        known = [value for metric in metrics.elements() for value in METRIC_VALUES[metric.type or ""]]
        named = [
            f"{metric.plain_at('name')}/{value}"
            for metric in metrics.elements()
            for value in METRIC_VALUES[metric.type or ""]
        ]
        for index, callback in enumerate(callbacks.elements()):
            best = callback.get("best")
            # Values of one class, `AP/car` or `bev_seg/IoU/divider`, are known to the metrics only.
            if (
                callback.type != "Checkpoint"
                or best is None
                or {"AP", "IoU"} & set(best.plain().split("/")[:-1])
            ):
                continue
            if best.plain() not in (*known, *named):
                place = dotted(("stages", name, "callbacks", index, "best"))
                gives = f"the metrics give {', '.join(known)}" if known else "the stage has no metrics"
                yield Finding(f"`{place}` is `{best.plain()}`, but {gives}", best.span)


def milestones_ascend(document: Node) -> Iterator[Finding]:
    """`milestones` of a schedule are ascending epochs before the end of training."""
    for name, stage in stages(document):
        callbacks, epochs = stage.get("callbacks"), stage.plain_at("num_epochs")
        for index, callback in enumerate(callbacks.elements() if callbacks else ()):
            node = callback.get("milestones")
            if node is None:
                continue
            values, place = node.plain(), dotted(("stages", name, "callbacks", index, "milestones"))
            if values != sorted(set(values)):
                yield Finding(f"`{place}` is {values}, which does not ascend", node.span)
            elif epochs is not None and values and values[-1] >= epochs:
                yield Finding(f"`{place}` is {values}, but training ends after {epochs} epochs", node.span)
