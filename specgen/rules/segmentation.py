"""Rules on the segmentation task: classes, their weights, and the two ways to tell them apart."""

from __future__ import annotations

from collections.abc import Iterator

from specgen.document import Node, dotted
from specgen.rules.components import decoders, stages
from specgen.rules.finding import Finding
from specgen.value_text import value_text

_CLASSES = {False: 4, True: 3}
"""By `use_bce`: the labels are others, divider, ped_crossing and boundary; BCE leaves `others` out."""


def class_count_fits(document: Node) -> Iterator[Finding]:
    """The segmentation has 4 classes, or 3 with `use_bce`, where `others` is the absence of all."""
    for path, decoder in decoders(document, "BevSegDecoder"):
        use_bce, number = decoder.at("use_bce"), decoder.get("head", "num_classes")
        if number is None or number.plain() == _CLASSES[use_bce.plain()]:
            continue
        message = (
            f"`{dotted((*path, 'head', 'num_classes'))}` is {number.plain()}, but with `use_bce` "
            f"{value_text(use_bce.plain())} there are {_CLASSES[use_bce.plain()]} classes"
        )
        related = ((use_bce.span, f"`use_bce` is {value_text(use_bce.plain())}"),) if use_bce.written else ()
        yield Finding(message, number.span, related)


def sigmoid_goes_with_bce(document: Node) -> Iterator[Finding]:
    """`use_sigmoid` of the segmentation's loss is the `use_bce` of its decoder."""
    for path, decoder in decoders(document, "BevSegDecoder"):
        use_bce, sigmoid = decoder.at("use_bce"), decoder.get("loss", "use_sigmoid")
        if sigmoid is None or sigmoid.plain() == use_bce.plain():
            continue
        place = dotted((*path, "loss", "use_sigmoid"))
        message = (
            f"`{place}` is {value_text(sigmoid.plain())}, but `use_bce` is {value_text(use_bce.plain())}"
        )
        yield Finding(message, sigmoid.span, ((use_bce.span, "the task has this"),))


def class_weights_fit(document: Node) -> Iterator[Finding]:
    """`class_weight` is one number with `use_sigmoid`, otherwise a list with one number a class."""
    for path, decoder in decoders(document, "BevSegDecoder"):
        weight, number = decoder.get("loss", "class_weight"), decoder.get("head", "num_classes")
        sigmoid = decoder.get("loss", "use_sigmoid")
        if weight is None or number is None or sigmoid is None or weight.plain() is None:
            continue
        place, related = dotted((*path, "loss", "class_weight")), ((number.span, "the classes"),)
        if sigmoid.plain() and weight.is_list:
            message = f"`{place}` is {value_text(weight.plain())}, but with `use_sigmoid` it is one number"
            yield Finding(message, weight.span, ((sigmoid.span, "`use_sigmoid` is true"),))
        elif not sigmoid.plain() and not weight.is_list:
            found = value_text(weight.plain())
            message = f"`{place}` is {found}, but it needs {number.plain()} numbers, one a class"
            yield Finding(message, weight.span, related)
        elif weight.is_list and len(weight.elements()) != number.plain():
            size = len(weight.elements())
            entries = "1 entry" if size == 1 else f"{size} entries"
            message = f"`{place}` has {entries}, but there are {number.plain()} classes"
            yield Finding(message, weight.span, related)


def unknown_cells_are_ignored(document: Node) -> Iterator[Finding]:
    """`ignore_index` of the BEV transforms is that of the segmentation's loss."""
    for _, decoder in decoders(document, "BevSegDecoder"):
        loss = decoder.get("loss", "ignore_index")
        for index, transform in enumerate(document.at("model", "bev_transforms").elements()):
            node = transform.get("ignore_index")
            if loss is None or node is None or node.plain() == loss.plain():
                continue
            place = dotted(("model", "bev_transforms", index, "ignore_index"))
            message = f"`{place}` is {node.plain()}, but the loss ignores {loss.plain()}"
            if node.written or not loss.written:
                yield Finding(message, node.span, ((loss.span, f"the loss ignores {loss.plain()}"),))
            else:
                yield Finding(message, loss.span, ((node.span, f"fills up with {node.plain()}"),))


def metric_classes_fit(document: Node) -> Iterator[Finding]:
    """`num_classes` of `SegmentationIoU` is 4: with `use_bce` too, labels count `others`."""
    for stage_name, stage in stages(document):
        metrics = stage.get("val_metrics")
        for index, metric in enumerate(metrics.elements() if metrics else ()):
            number = metric.get("num_classes")
            if metric.type == "SegmentationIoU" and number is not None and number.plain() != _CLASSES[False]:
                place = dotted(("stages", stage_name, "val_metrics", index, "num_classes"))
                message = (
                    f"`{place}` is {number.plain()}, but the dataset's labels have {_CLASSES[False]} classes"
                )
                yield Finding(message, number.span)
