"""Rules on the BEV grids and on the points at which views are sampled."""

from __future__ import annotations

import math
from collections.abc import Iterator

from specgen.document import Node, Path, dotted
from specgen.inference.image_size import image_size, training_loader
from specgen.inference.model_features import ENCODER_NECK, VIEW_TRANSFORMER, model_features
from specgen.inference.view_transformers import feature_size
from specgen.rules.components import decoders, loaders
from specgen.rules.finding import Finding
from specgen.value_text import value_text

NUSCENES_VIEWS = 6
_INT16_MAX = 2**15 - 1
_MOST_CELLS = 4096  # on one side; the reference has a few hundred


def whole_cells(document: Node) -> Iterator[Finding]:
    """A BEV range is a whole number of cells, and not more than a memory can hold."""
    paths: list[Path] = [(*VIEW_TRANSFORMER, "bev_size")]
    paths += [(*path, "task_size") for path, _ in decoders(document, "BevSegDecoder")]
    paths += [
        ("data", name, "dataset", key) for name, _ in loaders(document) for key in ("bev_size", "map_size")
    ]
    seen: set[object] = set()
    for path in paths:
        node = document.at(*path)
        half_y, half_x, resolution = node.plain()
        for axis, half in (("y", half_y), ("x", half_x)):
            cells = 2 * half / resolution
            if cells > _MOST_CELLS:
                reason = f"more than {_MOST_CELLS}"
            elif abs(cells - round(cells)) >= 1e-6:
                reason = "not a whole number"
            else:
                continue
            # One variable behind several grids is one mistake.
            if (node.span, axis) in seen:
                continue
            seen.add((node.span, axis))
            message = (
                f"`{dotted(path)}` is {value_text(node.plain())}: "
                f"{2 * half:g} m in {axis} are {cells:.6g} cells "
                f"of {resolution:g} m, {reason}"
            )
            yield Finding(message, node.span)


def dataset_grid_agrees(document: Node) -> Iterator[Finding]:
    """`bev_size` of every dataset is that of the view transformer."""
    model = document.at(*VIEW_TRANSFORMER, "bev_size")
    for name, loader in loaders(document):
        node = loader.at("dataset", "bev_size")
        if node.plain() != model.plain():
            message = (
                f"`data.{name}.dataset.bev_size` is {value_text(node.plain())}, "
                f"but the model has {value_text(model.plain())}"
            )
            yield Finding(message, node.span, ((model.span, "grid of the model"),))


def map_grid_agrees(document: Node) -> Iterator[Finding]:
    """`task_size` of the segmentation is the `map_size` of every dataset."""
    for path, decoder in decoders(document, "BevSegDecoder"):
        task = decoder.at("task_size")
        for name, loader in loaders(document):
            node = loader.at("dataset", "map_size")
            if node.plain() != task.plain():
                message = (
                    f"`data.{name}.dataset.map_size` is {value_text(node.plain())}, "
                    f"but `{dotted((*path, 'task_size'))}` is {value_text(task.plain())}"
                )
                yield Finding(message, node.span, ((task.span, "grid of the segmentation"),))


def grid_divides(document: Node) -> Iterator[Finding]:
    """Both sides of the up-scaled BEV grid are multiples of the stride of each map that the encoder gives."""
    features = model_features(document)
    maps = features.outputs.get(ENCODER_NECK)
    size, upscale = (
        document.at(*VIEW_TRANSFORMER, "bev_size"),
        document.plain_at(*VIEW_TRANSFORMER, "bev_upscale"),
    )
    if maps is None or upscale is None:
        return
    half_y, half_x, resolution = size.plain()
    sides = [round(2 * half / resolution) * upscale for half in (half_y, half_x)]
    stride = max(feature.stride for feature in maps)
    if not _divides(stride, sides):
        neck = document.at(*ENCODER_NECK, "type")
        heads = (features.inputs.get((*path, "head")) for path, _ in decoders(document))
        used = sorted({feature.stride for maps in heads if maps for feature in maps})
        fewer = neck.plain() == "BiFPN" and all(_divides(stride, sides) for stride in used)
        yield Finding(
            f"the BEV grid is {sides[0]} x {sides[1]} after `bev_upscale` {upscale}, "
            f"but the encoder gives a map of stride {stride}, which does not divide it",
            size.span,
            ((neck.span, f"gives stride {stride}"),),
            f"`out_strides: {used}` of `BiFPN` leaves out the maps that no head uses" if fewer else None,
        )


def _divides(stride: int, sides: list[int]) -> bool:
    return not any(side % stride for side in sides)


def head_cells_are_grid_cells(document: Node) -> Iterator[Finding]:
    """A head's map has one cell for each BEV cell, or for each `out_size_factor` of them in detection."""
    features = model_features(document)
    upscale = document.get(*VIEW_TRANSFORMER, "bev_upscale")
    for path, decoder in decoders(document):
        maps = features.inputs.get((*path, "head"))
        if maps is None or upscale is None:
            continue
        factor = decoder.plain_at("target", "out_size_factor", default=1)
        if maps[0].stride == upscale.plain() * factor:
            continue
        span = (decoder.get("head", "input_index") or decoder).span
        message = (
            f"`{dotted((*path, 'head'))}` works on a map of stride {maps[0].stride}, but `bev_upscale` "
            f"{upscale.plain()} asks for stride {upscale.plain() * factor}"
        )
        if factor != 1:
            message += f" at `out_size_factor` {factor}"
        related = ((document.at(*ENCODER_NECK, "type").span, "gives the map"), (upscale.span, "asks for it"))
        yield Finding(message, span, related)


def out_size_factors_agree(document: Node) -> Iterator[Finding]:
    """`out_size_factor` of a detection's target and decoder are equal."""
    for path, decoder in decoders(document, "BevDetDecoder"):
        target, own = decoder.get("target", "out_size_factor"), decoder.get("decoder", "out_size_factor")
        if target is not None and own is not None and target.plain() != own.plain():
            place = dotted((*path, "decoder", "out_size_factor"))
            message = f"`{place}` is {own.plain()}, but the target has {target.plain()}"
            if own.written or not target.written:
                yield Finding(message, own.span, ((target.span, "the target has this"),))
            else:
                yield Finding(message, target.span, ((own.span, f"the decoder has {own.plain()}"),))


def scale_is_power_of_two(document: Node) -> Iterator[Finding]:
    """`grid_quant_scale` is a power of two, so that scaling a point is a shift."""
    node = document.get(*VIEW_TRANSFORMER, "grid_quant_scale")
    if node is None or math.frexp(node.plain())[0] == 0.5:
        return
    near = 2.0 ** round(math.log2(node.plain()))
    message = (
        f"`{dotted((*VIEW_TRANSFORMER, 'grid_quant_scale'))}` is {node.plain()}, which is no power of two"
    )
    yield Finding(message, node.span, hint=f"leave it out, or write {near:.10g}")


def scale_does_not_saturate(document: Node) -> Iterator[Finding]:
    """With `grid_quant_scale` as the step, int16 reaches over the whole feature map."""
    node, size = document.get(*VIEW_TRANSFORMER, "grid_quant_scale"), image_size(document)
    maps = model_features(document).inputs.get(VIEW_TRANSFORMER)
    if node is None or size is None or maps is None:
        return
    height, width = feature_size((size.height, size.width), maps[0].stride)
    if max(height, width) / node.plain() > _INT16_MAX:
        yield Finding(
            f"`{dotted((*VIEW_TRANSFORMER, 'grid_quant_scale'))}` is {node.plain()}: int16 reaches "
            f"{_INT16_MAX * node.plain():.6g} feature pixels, but the map is {height} x {width}",
            node.span,
            ((document.at(*size.path).span, f"images of {size}, stride {maps[0].stride}"),),
            hint="leave `grid_quant_scale` out: it is taken from the size of the map",
        )


def six_views(document: Node) -> Iterator[Finding]:
    """A model for `NuscenesDataset` has six views, as its samples do."""
    node = document.get(*VIEW_TRANSFORMER, "num_views")
    dataset = document.at("data", training_loader(document), "dataset")
    if node is None or node.plain() == NUSCENES_VIEWS or dataset.type != "NuscenesDataset":
        return
    message = (
        f"`{dotted((*VIEW_TRANSFORMER, 'num_views'))}` is {node.plain()}, but a nuScenes sample has 6 views"
    )
    yield Finding(message, node.span, ((dataset.at("type").span, "gives 6 views"),))
