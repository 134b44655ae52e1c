"""Rules on images that are to be the frames of a camera."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from specgen.diagnostic import Span
from specgen.document import Node, Path, dotted
from specgen.inference.image_size import loader_image_size
from specgen.rules.finding import Finding
from specgen.value_text import value_text

_STAGE = "align_bpu"
_IMAGES, _KIND = "img", "input"
# What the chip subtracts from a byte, and the bits of what is left.
_CENTRE, _BITS = 128, 8
_CHAIN = ["BgrToYuv444", "Normalize"]


def frames_are_codes(document: Node) -> Iterator[Finding]:
    """Images of `align_bpu` are those of a camera: of even size, YUV, normalised to the codes of `img`."""
    stage = document.get("stages", _STAGE)
    if stage is None or stage.type != "BpuPredictor":
        return
    loader: str = stage.at("val_data_loader").plain()
    transforms = document.get("data", loader, "dataset", "transforms")
    if transforms is None:
        return  # another rule tells that there is no such loader
    last = len(transforms.elements()) - 1
    path: Path = ("data", loader, "dataset", "transforms", last, "transforms")
    chain = document.get(*path)
    if chain is None:
        return  # there are no tensors at all, which another rule tells
    takes = ((stage.at("type").span, "takes frames of a camera"),)
    found = [item.type for item in chain.elements()]
    if found[-2:] != _CHAIN:
        yield Finding(
            f"`{dotted(path)}` does not end with `BgrToYuv444` and `Normalize`, but a camera gives YUV",
            chain.span,
            takes,
            f"end with `{{type: BgrToYuv444}}, {{type: Normalize, mean: {_CENTRE}.0, std: {_CENTRE}.0}}`",
        )
        return
    yield from _bytes_are_codes(document, (*path, len(found) - 1), takes)
    size = loader_image_size(document, loader)
    if stage.plain_at("input_source") == "nv12" and size is not None and (size.height % 2 or size.width % 2):
        message = f"the images of `{loader}` are {size}, but NV12 has one chroma for 2 x 2 pixels"
        yield Finding(message, document.at(*size.path).span, takes, "write an even height and width")


def _bytes_are_codes(
    document: Node, normalize: Path, takes: tuple[tuple[Span, str], ...]
) -> Iterator[Finding]:
    """The chip makes its codes by subtracting alone."""
    mean, std = document.at(*normalize, "mean"), document.at(*normalize, "std")
    scale, bits = _set_for_images(document, "scale"), _set_for_images(document, "bits")
    if mean.plain() != _CENTRE:
        place, found = dotted((*normalize, "mean")), value_text(mean.plain())
        message = f"`{place}` is {found}, but the chip subtracts {_CENTRE}"
        yield Finding(message, mean.span, takes, f"write `mean: {_CENTRE}.0`")
    elif scale is None:
        yield Finding(
            f"no rule of `quantization` fixes the scale of `{_IMAGES}`, but bytes of a camera are its codes",
            document.at("quantization", "rules").span,
            takes,
            f"add `{{match: {_IMAGES}, bits: {_BITS}, scale: {value_text(1 / std.plain())}}}`",
        )
    elif scale.plain() * std.plain() != 1:
        yield Finding(
            f"a code of `{_IMAGES}` is {value_text(scale.plain())}, but `{dotted((*normalize, 'std'))}` is "
            f"{value_text(std.plain())}: bytes of a camera would not be its codes",
            scale.span,
            ((std.span, "divides by this"), *takes),
            f"write the `scale` {value_text(1 / std.plain())}",
        )
    elif bits is not None and bits.plain() != _BITS:
        message = f"`{_IMAGES}` has {bits.plain()} bits, but a camera gives bytes"
        yield Finding(message, bits.span, takes, f"write `bits: {_BITS}`")


def _set_for_images(document: Node, key: str) -> Node | None:
    """What the last rule sets that matches the images and sets it."""
    found = None
    for rule in document.at("quantization", "rules").elements():
        matches = fnmatchcase(_IMAGES, rule.plain_at("match") or "*") and rule.plain_at("op") in (None, _KIND)
        if matches and rule.plain_at(key) is not None:
            found = rule.at(key)
    return found
