"""Rules on the tasks: names, parts, classes and the lists that go with them."""

from __future__ import annotations

from collections.abc import Iterator

from specgen.did_you_mean import close_to, did_you_mean
from specgen.document import Node, dotted
from specgen.rules.components import decoders, stages
from specgen.rules.finding import Finding

DATASET_CLASSES = (
    "car",
    "truck",
    "construction_vehicle",
    "bus",
    "trailer",
    "barrier",
    "motorcycle",
    "bicycle",
    "pedestrian",
    "traffic_cone",
)
_PARTS = {
    "BevSegDecoder": {
        "head": "DepthwiseSeparableFCNHead",
        "target": "FCNTarget",
        "loss": "CrossEntropyLossV2",
        "decoder": "FCNDecoder",
    },
    "BevDetDecoder": {
        "head": "CenterPoint3dHead",
        "target": "CenterPoint3dTarget",
        "loss_cls": "GaussianFocalLoss",
        "loss_reg": "L1Loss",
        "decoder": "CenterPoint3dDecoder",
    },
}
_METRICS = {"NuscenesDetectionMetric": "BevDetDecoder", "SegmentationIoU": "BevSegDecoder"}
_LISTS_PER_TASK = ("nms_type", "min_radius", "nms_threshold")


def parts_fit(document: Node) -> Iterator[Finding]:
    """The head, target, losses and decoder of a task are of that task: segmentation or detection."""
    for path, decoder in decoders(document):
        for key, expected in _PARTS.get(decoder.type or "", {}).items():
            part = decoder.at(key)
            others = {name for parts in _PARTS.values() for name in parts.values()} - {expected}
            # A component of a plug-in may fit: only the built-in ones are known to belong elsewhere.
            if part.type in others:
                message = f"`{dotted((*path, key))}` is `{part.type}`, which does not fit a `{decoder.type}`"
                related = ((decoder.at("type").span, "the task"),)
                yield Finding(message, part.at("type").span, related, hint=f"use `{expected}`")


def names_differ(document: Node) -> Iterator[Finding]:
    """Each task has a name of its own, since losses and results go by it."""
    seen: dict[str, Node] = {}
    for path, decoder in decoders(document):
        name = decoder.at("name")
        if name.plain() in seen:
            message = f"`{dotted((*path, 'name'))}` is `{name.plain()}`, which another task has"
            yield Finding(message, name.span, ((seen[name.plain()].span, "first used here"),))
        seen.setdefault(name.plain(), name)


def class_names_are_the_datasets(document: Node) -> Iterator[Finding]:
    """`class_names` are the classes of nuScenes in the order of their labels."""
    for path, decoder in decoders(document, "BevDetDecoder"):
        names = decoder.get("target", "class_names")
        if names is None or tuple(names.plain()) == DATASET_CLASSES:
            continue
        place = dotted((*path, "target", "class_names"))
        missing = [name for name in DATASET_CLASSES if name not in names.plain()]
        extra = [name for name in names.plain() if name not in DATASET_CLASSES]
        if extra:
            message = f"`{place}` has `{extra[0]}`, which is no class of the dataset"
            place_of = next(node for node in names.elements() if node.plain() == extra[0])
            yield Finding(message, place_of.span, hint=did_you_mean(extra[0], missing))
        elif missing:
            yield Finding(f"`{place}` lacks `{missing[0]}`, a class of the dataset", names.span)
        else:
            message = f"`{place}` is not in the order of the dataset's labels"
            yield Finding(message, names.span, hint=f"write [{', '.join(DATASET_CLASSES)}]")


def tasks_share_out_the_classes(document: Node) -> Iterator[Finding]:
    """Every class belongs to exactly one group of `tasks`, and a group holds nothing else."""
    for path, decoder in decoders(document, "BevDetDecoder"):
        tasks, names = decoder.get("head", "tasks"), decoder.plain_at("target", "class_names")
        if tasks is None or names is None:
            continue
        place = dotted((*path, "head", "tasks"))
        grouped = [(node.plain(), node) for task in tasks.elements() for node in task.elements()]
        meant: set[str | None] = set()
        for position, (name, node) in enumerate(grouped):
            if name not in names:
                meant.add(close_to(name, names))
                message = f"`{place}` has `{name}`, which is not among the `class_names`"
                yield Finding(message, node.span, hint=did_you_mean(name, names))
            elif name in [earlier for earlier, _ in grouped[:position]]:
                yield Finding(f"`{place}` has `{name}` twice", node.span)
        for name in names:
            # A class that is only misspelt has been reported as that.
            if name not in meant | {grouped_name for grouped_name, _ in grouped}:
                yield Finding(f"`{place}` lacks `{name}`: no task would find it", tasks.span)


def lists_per_task(document: Node) -> Iterator[Finding]:
    """`nms_type`, `min_radius` and `nms_threshold` have one entry for each task."""
    for path, decoder in decoders(document, "BevDetDecoder"):
        tasks = decoder.get("head", "tasks")
        for key in _LISTS_PER_TASK:
            node = decoder.get("decoder", key)
            if tasks is None or node is None or len(node.elements()) == len(tasks.elements()):
                continue
            place, number = dotted((*path, "decoder", key)), len(node.elements())
            message = (
                f"`{place}` has {number} {'entry' if number == 1 else 'entries'}, but there are "
                f"{len(tasks.elements())} tasks"
            )
            yield Finding(message, node.span, ((tasks.span, "the tasks"),))


def kernels_are_odd(document: Node) -> Iterator[Finding]:
    """`final_kernel` and `max_pool_kernel` are odd, so that a cell is the middle of its neighbourhood."""
    for path, decoder in decoders(document, "BevDetDecoder"):
        for part, key in (("head", "final_kernel"), ("decoder", "max_pool_kernel")):
            node = decoder.get(part, key)
            if node is not None and node.plain() % 2 == 0:
                place = dotted((*path, part, key))
                yield Finding(f"`{place}` is {node.plain()}, but a kernel's side is odd", node.span)


def metrics_have_a_task(document: Node) -> Iterator[Finding]:
    """The `name` of a metric is that of a task of its kind."""
    for stage_name, stage in stages(document):
        metrics = stage.get("val_metrics")
        for index, metric in enumerate(metrics.elements() if metrics else ()):
            wanted = _METRICS.get(metric.type or "")
            if wanted is None:
                continue
            names = [decoder.plain_at("name") for _, decoder in decoders(document, wanted)]
            node = metric.at("name")
            if node.plain() in names:
                continue
            place = dotted(("stages", stage_name, "val_metrics", index, "name"))
            known = (
                f"the model has {', '.join(f'`{name}`' for name in names)}" if names else "the model has none"
            )
            yield Finding(
                f"`{place}` is `{node.plain()}`, but no `{wanted}` has that name: {known}", node.span
            )


def metrics_differ(document: Node) -> Iterator[Finding]:
    """A stage measures each task once with a metric: two would write the same results."""
    for stage_name, stage in stages(document):
        seen: dict[tuple[str | None, object], Node] = {}
        metrics = stage.get("val_metrics")
        for index, metric in enumerate(metrics.elements() if metrics else ()):
            key = metric.type, metric.plain_at("name")
            if key in seen:
                place = dotted(("stages", stage_name, "val_metrics", index))
                message = f"`{place}` is a second `{metric.type}` for `{key[1]}`"
                yield Finding(message, metric.at("type").span, ((seen[key].span, "the first one"),))
            seen.setdefault(key, metric.at("type"))


def judged_boxes_are_in_metres(document: Node) -> Iterator[Finding]:
    """`decode_to_ego` is true where a stage measures the boxes: cells are no metres, and scores near 0."""
    measured = {
        metric.plain_at("name")
        for _, stage in stages(document)
        if (metrics := stage.get("val_metrics")) is not None
        for metric in metrics.elements()
        if metric.type == "NuscenesDetectionMetric"
    }
    for path, decoder in decoders(document, "BevDetDecoder"):
        node = decoder.get("decoder", "decode_to_ego")
        if node is None or node.plain() or decoder.plain_at("name") not in measured:
            continue
        place = dotted((*path, "decoder", "decode_to_ego"))
        message = f"`{place}` is false, but a stage measures its boxes in metres"
        yield Finding(message, node.span)
