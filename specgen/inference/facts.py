"""The derived values of a spec, part by part: what each component must be told by those before it."""

from __future__ import annotations

from collections.abc import Iterator

from specgen.diagnostic import Span
from specgen.document import Node, Path, dotted
from specgen.inference import model_features as parts
from specgen.inference.derived import Derived
from specgen.inference.features import Feature, show
from specgen.inference.image_size import image_size, stage_image_size, training_loader
from specgen.inference.marches import multiplier_bits
from specgen.inference.model_features import ModelFeatures
from specgen.inference.necks import NoSuchMap, bifpn_levels, pick
from specgen.inference.view_transformers import feature_size, grid_quant_scale
from specgen.value_text import value_text

_KNOW_THE_CHIP = ("Calibrator", "ModelChecker", "HbmCompiler", "BpuPredictor")
_WITHOUT_MODEL = ("HbmCompiler",)
TO_FIXED_POINT = ("Float2Calibration", "Float2QAT")
"""Converters that put fixed point into a float model."""


def derive(document: Node, features: ModelFeatures) -> Iterator[Derived]:
    """Every derived value that can be known, in the order of the model."""
    yield Derived((*parts.BACKBONE, "in_channels"), 3, "the images", "the images", "have 3 channels")
    yield from _neck(document, features, parts.NECK, parts.BACKBONE)
    yield from _view_transformer(document, features)
    yield from _bev_transforms(document)
    yield from _encoder_input(document, features)
    yield from _neck(document, features, parts.ENCODER_NECK, parts.ENCODER_BACKBONE)
    yield from _multipliers(document)
    for index, decoder in enumerate(document.at("model", "bev_decoders").elements()):
        path: Path = ("model", "bev_decoders", index)
        yield from _head_channels(document, features, path)
        if decoder.type == "BevSegDecoder":
            yield from _segmentation(document, path)
        if decoder.type == "BevDetDecoder":
            yield from _detection(document, path)
    for name, stage in document.at("stages").items():
        if stage.type not in _WITHOUT_MODEL:
            yield Derived(("stages", name, "model"), "model", "model", "the model", "is the only one")
        if stage.type in _KNOW_THE_CHIP:
            yield Derived(("stages", name, "march"), "march", "march", "`march`", "is the only one")
        yield from _fixed_point_converters(document, name, stage)


def type_span(document: Node, path: Path) -> Span:
    """The place of a component's `type`, which stands for the component."""
    component = document.at(*path)
    return (component.get("type") or component).span


def gives(document: Node, path: Path, maps: list[Feature]) -> tuple[Span, str]:
    """The remark beside a component on what it gives."""
    return type_span(document, path), f"gives {show(maps)} (channels@stride)"


def _neck(document: Node, features: ModelFeatures, path: Path, source: Path) -> Iterator[Derived]:
    """What a neck must know of the maps of its backbone."""
    maps = features.inputs.get(path)
    if maps is None:
        return
    neck = document.at(*path)
    related = (gives(document, source, maps),)
    origin = dotted(source)
    if neck.type == "FastSCNNNeck":
        indexes = neck.plain_at("indexes")
        try:
            channels = [pick(maps, index).channels for index in indexes]
        except NoSuchMap:
            return
        says = f"gives {channels} at `indexes` {indexes}"
        yield Derived((*path, "in_channels"), channels, origin, "the backbone", says, related)
    if neck.type == "BiFPN":
        strides = [feature.stride for feature in maps]
        channels_of = {feature.stride: feature.channels for feature in maps}
        says = f"gives maps of strides {strides}"
        yield Derived((*path, "in_strides"), strides, origin, "the backbone", says, related)
        try:
            levels = bifpn_levels(neck.plain(), maps)
            # Fewer strides may be asked for: maps that nobody uses need not go out.
            yield Derived((*path, "out_strides"), levels, origin, "", "", checked=False)
        except NoSuchMap:
            pass
        says = f"gives {value_text(channels_of)}"
        yield Derived((*path, "stride2channels"), channels_of, origin, "the backbone", says, related)


def _view_transformer(document: Node, features: ModelFeatures) -> Iterator[Derived]:
    """Stride of the image feature, and the step of the sampling points on it."""
    maps = features.inputs.get(parts.VIEW_TRANSFORMER)
    if maps is None:
        return
    stride = maps[0].stride
    index = document.plain_at("model", "bev_feat_index", default=-1)
    related = (gives(document, parts.NECK, features.outputs[parts.NECK]),)
    says = f"gives stride {stride} at `bev_feat_index` {index}"
    yield Derived((*parts.VIEW_TRANSFORMER, "in_stride"), stride, "model.neck", "the neck", says, related)
    size = image_size(document)
    if size is not None:
        height, width = feature_size((size.height, size.width), stride)
        scale = grid_quant_scale((size.height, size.width), stride)
        source = f"the {height} x {width} map of model.neck"
        yield Derived((*parts.VIEW_TRANSFORMER, "grid_quant_scale"), scale, source, "", "", checked=False)


def _bev_transforms(document: Node) -> Iterator[Derived]:
    """The grids of features and labels, for each transform of both."""
    loader = training_loader(document)
    labels: Path = ("data", loader, "dataset", "map_size")
    for index, _ in enumerate(document.at("model", "bev_transforms").elements()):
        path: Path = ("model", "bev_transforms", index)
        yield _bev_size(document, path)
        yield _equal(document, (*path, "map_size"), labels, "the dataset")


def _encoder_input(document: Node, features: ModelFeatures) -> Iterator[Derived]:
    """Channels that the BEV encoder's backbone takes."""
    maps = features.inputs.get(parts.ENCODER_BACKBONE)
    if maps is None:
        return
    channels = maps[0].channels
    related = (gives(document, parts.NECK, features.outputs[parts.NECK]),)
    says = f"gives {channels} channels, those of the neck"
    path: Path = (*parts.ENCODER_BACKBONE, "in_channels")
    yield Derived(path, channels, "model.view_transformer", "the view transformer", says, related)


def _head_channels(document: Node, features: ModelFeatures, decoder: Path) -> Iterator[Derived]:
    """Channels that a head takes."""
    path: Path = (*decoder, "head")
    maps = features.inputs.get(path)
    if maps is None:
        return
    index = document.plain_at(*path, "input_index", default=0)
    related = (gives(document, parts.ENCODER_NECK, features.outputs[parts.ENCODER_NECK]),)
    says = f"gives {maps[0].channels} at `input_index` {index}"
    yield Derived(
        (*path, "in_channels"), maps[0].channels, "model.bev_encoder", "the BEV encoder", says, related
    )


def _segmentation(document: Node, path: Path) -> Iterator[Derived]:
    yield _bev_size(document, path)
    head, use_bce = (*path, "head", "num_classes"), (*path, "use_bce")
    if document.at(*path, "target").type == "FCNTarget":
        yield _equal(document, (*path, "target", "use_bce"), use_bce, "the task")
        if document.get(*head) is not None:
            yield _equal(document, (*path, "target", "num_classes"), head, "the head")
    if document.at(*path, "decoder").type == "FCNDecoder":
        yield _equal(document, (*path, "decoder", "use_bce"), use_bce, "the task")


def _detection(document: Node, path: Path) -> Iterator[Derived]:
    tasks, target = (*path, "head", "tasks"), (*path, "target")
    for part, kind in (("target", "CenterPoint3dTarget"), ("decoder", "CenterPoint3dDecoder")):
        if document.at(*path, part).type != kind:
            continue
        yield _bev_size(document, (*path, part))
        if document.get(*tasks) is not None:
            yield _equal(document, (*path, part, "tasks"), tasks, "the head")
    if document.at(*path, "decoder").type == "CenterPoint3dDecoder":
        for key in ("class_names", "norm_bbox"):
            if document.get(*target, key) is not None:
                yield _equal(document, (*path, "decoder", key), (*target, key), "the target")


def _fixed_point_converters(document: Node, name: str, stage: Node) -> Iterator[Derived]:
    """Settings, and size and number of the views, for each converter that puts fixed point into the model."""
    found = stage.get("model_convert_pipeline", "converters")
    for index, converter in enumerate(found.elements() if found else ()):
        if converter.type not in TO_FIXED_POINT:
            continue
        path: Path = ("stages", name, "model_convert_pipeline", "converters", index)
        section = "quantization"
        yield Derived((*path, section), section, section, f"the section `{section}`", "is the only one")
        size = stage_image_size(document, stage)
        if size is not None:
            related = ((document.at(*size.path).span, f"gives images of {size}"),)
            value, loader = [size.height, size.width], dotted(size.path[:2])
            yield Derived(
                (*path, "image_size"), value, loader, f"`{loader}`", f"gives images of {size}", related
            )
        views: Path = (*parts.VIEW_TRANSFORMER, "num_views")
        if document.get(*views) is not None:
            yield _equal(document, (*path, "num_views"), views, "the view transformer")


def _multipliers(document: Node) -> Iterator[Derived]:
    """Bits of multipliers: those of the chip; others are a choice, of which its checker says what comes."""
    bits = multiplier_bits(document.plain_at("march"))
    if bits is not None:
        yield Derived(("quantization", "multiplier_bits"), bits, "march", "", "", checked=False)


def _bev_size(document: Node, path: Path) -> Derived:
    source: Path = (*parts.VIEW_TRANSFORMER, "bev_size")
    return _equal(document, (*path, "bev_size"), source, "the view transformer")


def _equal(document: Node, path: Path, source: Path, owner: str) -> Derived:
    """The value at `path` is that at `source`."""
    node = document.at(*source)
    value = node.plain()
    related = ((node.span, f"{owner} has this"),)
    return Derived(path, value, dotted(source[:-1]), owner, f"has {value_text(value)}", related)
