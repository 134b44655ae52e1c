"""Rules on the images: sizes, ranges and the order of transforms."""

from __future__ import annotations

from collections.abc import Iterator

from specgen.document import Node, dotted
from specgen.inference.image_size import image_size, loader_image_size
from specgen.inference.model_features import BACKBONE, ENCODER_BACKBONE, NECK, model_features
from specgen.rules.components import loader_transforms, loaders
from specgen.rules.finding import Finding
from specgen.value_text import value_text


def resize_is_one_thing(document: Node) -> Iterator[Finding]:
    """`BevImgResize` has either `size` or `scales`."""
    for path, transforms in loader_transforms(document):
        for index, transform in enumerate(transforms.elements()):
            if transform.type != "BevImgResize":
                continue
            given = [key for key in ("size", "scales") if transform.plain_at(key) is not None]
            if len(given) != 1:
                what = "both `size` and `scales`" if given else "neither `size` nor `scales`"
                place = dotted((*path, index))
                yield Finding(f"`{place}` has {what}, it needs one of them", transform.at("type").span)


def ranges_ascend(document: Node) -> Iterator[Finding]:
    """A range of random values runs from low to high."""
    parts = [
        *loader_transforms(document),
        (("model", "bev_transforms"), document.at("model", "bev_transforms")),
    ]
    for path, transforms in parts:
        for index, transform in enumerate(transforms.elements()):
            for key in ("scales", "rot"):
                values = transform.plain_at(key)
                if values is not None and values[0] > values[1]:
                    place = dotted((*path, index, key))
                    message = f"`{place}` is {value_text(values)}, but a range starts with the lower value"
                    yield Finding(message, transform.at(key).span, hint=f"write {value_text(values[::-1])}")


def crop_fits(document: Node) -> Iterator[Finding]:
    """A crop is not larger than the size to which the images were scaled before it."""
    for path, transforms in loader_transforms(document):
        before: Node | None = None
        for index, transform in enumerate(transforms.elements()):
            if transform.type == "BevImgResize":
                before = transform.get("size") if transform.plain_at("size") is not None else None
            if transform.type == "BevImgCrop" and before is not None:
                crop, size = transform.at("size"), before.plain()
                if crop.plain()[0] > size[0] or crop.plain()[1] > size[1]:
                    place = dotted((*path, index, "size"))
                    message = (
                        f"`{place}` is {value_text(crop.plain())}, but the images are {value_text(size)} here"
                    )
                    yield Finding(message, crop.span, ((before.span, "scaled to this"),))


def size_is_fixed(document: Node) -> Iterator[Finding]:
    """Every loader brings its images to one size, by a crop or by a resize to a size."""
    for name, loader in loaders(document):
        if loader_image_size(document, name) is None:
            yield Finding(
                f"`data.{name}` gives images of no fixed size",
                loader.at("dataset", "transforms").span,
                hint="add `{type: BevImgCrop, size: [height, width]}` after the resize",
            )


def sizes_agree(document: Node) -> Iterator[Finding]:
    """All loaders give images of the same size."""
    expected = image_size(document)
    for name, _ in loaders(document):
        size = loader_image_size(document, name)
        if expected is None or size is None:
            continue
        if (size.height, size.width) != (expected.height, expected.width):
            first = expected.path[1]
            yield Finding(
                f"`data.{name}` gives images of {size}, but `data.{first}` gives {expected}",
                document.at(*size.path).span,
                ((document.at(*expected.path).span, f"size of `{first}`"),),
            )


def size_divides(document: Node) -> Iterator[Finding]:
    """Height and width of the images are multiples of the stride of the coarsest map that the neck uses."""
    size, features = image_size(document), model_features(document)
    if size is None or NECK not in features.outputs:
        return
    stride = max(feature.stride for feature in features.outputs[NECK])
    if size.height % stride or size.width % stride:
        yield Finding(
            f"the images are {size}, but the neck uses a map of stride {stride}, which does not divide them",
            document.at(*size.path).span,
            ((document.at(*NECK, "type").span, f"uses stride {stride}"),),
            hint=f"crop to a multiple of {stride}, such as {_multiple(size.height, stride)} x "
            f"{_multiple(size.width, stride)}",
        )


def _multiple(length: int, stride: int) -> int:
    """The nearest multiple of `stride` that is not longer, at least one."""
    return max(stride, length // stride * stride)


def images_become_tensors(document: Node) -> Iterator[Finding]:
    """The transforms of a loader end in a `BevImgTransformWrapper` that begins with `PILToTensor`."""
    for path, transforms in loader_transforms(document):
        *before, last = transforms.elements()
        early = next((item for item in before if item.type == "BevImgTransformWrapper"), None)
        first = last.get("transforms", 0)
        if early is not None:
            message = f"`{dotted(path)}` has a `BevImgTransformWrapper` before its end"
            yield Finding(
                message, early.at("type").span, hint="put it last: other transforms work on whole views"
            )
        elif first is None or first.type != "PILToTensor":
            yield Finding(
                f"`{dotted(path)}` does not end by making tensors of the images",
                last.at("type").span,
                hint="end with `{type: BevImgTransformWrapper, transforms: [{type: PILToTensor}, ...]}`",
            )


def no_classification_top(document: Node) -> Iterator[Finding]:
    """A backbone inside a BEV model has no classification top, which gives no feature maps."""
    for path in (BACKBONE, ENCODER_BACKBONE):
        top = document.get(*path, "include_top")
        if top is not None and top.plain():
            message = f"`{dotted((*path, 'include_top'))}` is true, but the model needs the feature maps"
            yield Finding(message, top.span, hint="write `include_top: false`")
