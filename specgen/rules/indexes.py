"""Rules on indexes: each points at a feature map that exists."""

from __future__ import annotations

from collections.abc import Iterator

from specgen.document import Node, Path, dotted
from specgen.inference.facts import gives
from specgen.inference.features import Feature, show
from specgen.inference.model_features import (
    BACKBONE,
    ENCODER_BACKBONE,
    ENCODER_NECK,
    NECK,
    ModelFeatures,
    model_features,
)
from specgen.inference.necks import NoSuchMap, bifpn_levels
from specgen.rules.components import decoders
from specgen.rules.finding import Finding
from specgen.value_text import value_text

_NECKS = ((NECK, BACKBONE), (ENCODER_NECK, ENCODER_BACKBONE))


def neck_indexes_exist(document: Node) -> Iterator[Finding]:
    """`indexes` of a neck point at maps of the backbone, each once and shallow before deep."""
    features = model_features(document)
    for path, source in _NECKS:
        indexes, maps = document.get(*path, "indexes"), features.inputs.get(path)
        if indexes is None or maps is None:
            continue
        written, related = indexes.plain(), (gives(document, source, maps),)
        outside = [index for index in written if not _inside(index, maps)]
        place = dotted((*path, "indexes"))
        if outside:
            message = (
                f"`{place}` is {written}, "
                f"but the backbone gives {len(maps)} maps: {-len(maps)} to {len(maps) - 1}"
            )
            yield Finding(message, indexes.span, related)
        elif (positions := [index % len(maps) for index in written]) != sorted(set(positions)):
            yield Finding(
                f"`{place}` is {written}, which does not go from shallow to deep", indexes.span, related
            )


def neck_lists_agree(document: Node) -> Iterator[Finding]:
    """`feat_channels` of a neck has one entry for each of its `indexes`."""
    for path, _ in _NECKS:
        indexes, channels = document.get(*path, "indexes"), document.get(*path, "feat_channels")
        if indexes is None or channels is None or len(indexes.elements()) == len(channels.elements()):
            continue
        place, number = dotted((*path, "feat_channels")), len(indexes.elements())
        message = f"`{place}` has {_entries(len(channels.elements()))}, but `indexes` has {number}"
        yield Finding(message, channels.span, ((indexes.span, "one entry for each of these"),))


def pyramid_levels_exist(document: Node) -> Iterator[Finding]:
    """`start_level` and `end_level` of a BiFPN choose maps of the backbone, no more than `num_outs`."""
    features = model_features(document)
    for path, source in _NECKS:
        neck, maps = document.at(*path), features.inputs.get(path)
        if neck.type != "BiFPN" or maps is None:
            continue
        start, end, number = (neck.plain_at(key) for key in ("start_level", "end_level", "num_outs"))
        related = (gives(document, source, maps),)
        last = len(maps) + end if end < 0 else end
        if not 0 <= start <= last < len(maps):
            message = (
                f"`{dotted(path)}` uses levels {start} to {end}, but the backbone gives {len(maps)} maps"
            )
            key = "end_level" if last >= len(maps) or last < 0 else "start_level"
            yield Finding(message, neck.at(key).span, related)
        elif last - start + 1 > number:
            message = f"`{dotted((*path, 'num_outs'))}` is {number}, but {last - start + 1} levels come in"
            yield Finding(message, neck.at("num_outs").span, related)


def pyramid_outputs_exist(document: Node) -> Iterator[Finding]:
    """`out_strides` of a BiFPN are strides of its levels, fine first."""
    features = model_features(document)
    for path, source in _NECKS:
        neck, maps = document.at(*path), features.inputs.get(path)
        strides = neck.get("out_strides")
        if neck.type != "BiFPN" or maps is None or strides is None:
            continue
        try:
            levels = bifpn_levels(neck.plain(), maps)
        except NoSuchMap:
            continue
        written = strides.plain()
        if written != [level for level in levels if level in written]:
            message = f"`{dotted((*path, 'out_strides'))}` is {written}, but the levels have strides {levels}"
            yield Finding(message, strides.span, (gives(document, source, maps),))


def feature_indexes_exist(document: Node) -> Iterator[Finding]:
    """`bev_feat_index` points at a map of the neck, `input_index` of a head at a map of the BEV encoder."""
    features = model_features(document)
    yield from _index(document, features, ("model", "bev_feat_index"), NECK, "the neck")
    for path, _ in decoders(document):
        yield from _index(document, features, (*path, "head", "input_index"), ENCODER_NECK, "the BEV encoder")


def _index(
    document: Node, features: ModelFeatures, path: Path, source: Path, owner: str
) -> Iterator[Finding]:
    node, maps = document.get(*path), features.outputs.get(source)
    if node is None or maps is None or _inside(node.plain(), maps):
        return
    message = f"`{dotted(path)}` is {value_text(node.plain())}, but {owner} gives {_maps(maps)}"
    yield Finding(message, node.span, (gives(document, source, maps),))


def _inside(index: int, maps: list[Feature]) -> bool:
    return -len(maps) <= index < len(maps)


def _entries(number: int) -> str:
    return "1 entry" if number == 1 else f"{number} entries"


def _maps(maps: list[Feature]) -> str:
    return f"1 map: {show(maps)}" if len(maps) == 1 else f"{len(maps)} maps: {show(maps)}"
