"""Rules on the stages: order, trainers and callbacks."""

from __future__ import annotations

from collections.abc import Iterator

from specgen.document import Node, dotted
from specgen.rules.components import converters, stages
from specgen.rules.conversion import STARTS_FROM
from specgen.rules.finding import Finding
from specgen.stage_table import STAGES

_COMPONENTS = {
    "float": "distributed_data_parallel_trainer",
    "calibration": "Calibrator",
    "qat": "distributed_data_parallel_trainer",
    "export": "HbirExporter",
    "int_infer": "HbirPredictor",
    "check": "ModelChecker",
    "compile": "HbmCompiler",
    "align_bpu": "BpuPredictor",
}
_KNOWN_COMPONENTS = set(_COMPONENTS.values())
_SCHEDULES = ("CyclicLrUpdater", "WarmupStepLrUpdater", "CosLrUpdater")
METRIC_VALUES = {
    "NuscenesDetectionMetric": ("NDS", "mAP", "mATE", "mASE", "mAOE", "mAVE", "mAAE"),
    "SegmentationIoU": ("mIoU", "mIoU_all"),
}


def earlier_stages_exist(document: Node) -> Iterator[Finding]:
    """A stage comes with those whose weights it loads or whose file it takes, as `compile` with `export`."""
    names = [name for name, _ in stages(document)]
    for name, stage in stages(document):
        for before in _before(name, stage):
            if before not in names:
                message = f"the stage `{name}` starts from `{before}`, but there is no such stage"
                yield Finding(message, stage.key_span or stage.span)


def _before(name: str, stage: Node) -> Iterator[str]:
    """The stages that must be there for a stage; where it may choose, those that it names."""
    choices = STARTS_FROM.get(name, ())
    named = [converter.plain_at("stage") for converter in converters(stage)]
    yield from (choice for choice in choices if len(choices) == 1 or choice in named)
    takes = STAGES[name].takes
    if takes is not None:
        yield takes


def trainer_fits_stage(document: Node) -> Iterator[Finding]:
    """Each stage has its own component: `calibration` a `Calibrator`, `align_bpu` a `BpuPredictor`."""
    for name, stage in stages(document):
        if stage.type in _KNOWN_COMPONENTS and stage.type != _COMPONENTS[name]:
            message = f"`stages.{name}.type` is `{stage.type}`, which does not fit this stage"
            yield Finding(message, stage.at("type").span, hint=f"use `{_COMPONENTS[name]}`")


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
                # Nobody wrote the default: without a word on it the message would speak of what is not there.
                hint = f"write `best: {known[0]}` beside `type`" if known and not best.written else None
                yield Finding(f"`{place}` is `{best.plain()}`, but {gives}", best.span, hint=hint)


def calibration_judges_and_saves(document: Node) -> Iterator[Finding]:
    """The callbacks of a `Calibrator` are `Validation` and `Checkpoint`, as nothing learns."""
    for name, stage in stages(document):
        callbacks = stage.get("callbacks")
        if stage.type != "Calibrator" or callbacks is None:
            continue
        for index, callback in enumerate(callbacks.elements()):
            if callback.type not in ("Validation", "Checkpoint"):
                place = dotted(("stages", name, "callbacks", index))
                message = f"`{place}` is `{callback.type}`, which has nothing to do in calibration"
                yield Finding(message, callback.at("type").span, hint=f"leave out `{callback.type}`")


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


def callbacks_differ(document: Node) -> Iterator[Finding]:
    """No callback stands twice in a stage, as it would do its work twice."""
    for name, stage in stages(document):
        callbacks = stage.get("callbacks")
        seen: list[Node] = []
        for index, callback in enumerate(callbacks.elements() if callbacks else ()):
            first = next((item for item in seen if item.plain() == callback.plain()), None)
            if first is not None and callback.type not in _SCHEDULES:
                place = dotted(("stages", name, "callbacks", index))
                message = f"`{place}` is the same `{callback.type}` once more"
                related = ((first.at("type").span, "the first one"),)
                yield Finding(message, callback.at("type").span, related)
            seen.append(callback)
