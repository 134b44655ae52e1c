"""The table of every component that gives feature maps: `(kind, type) -> out_features(config, inputs)`."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

from specgen.inference.backbones import efficientnet, resnet
from specgen.inference.features import Config, Feature
from specgen.inference.heads import center_point_head, fcn_head
from specgen.inference.necks import bifpn, fast_scnn
from specgen.inference.plugin_maps import plugin_maps
from specgen.inference.view_transformers import wrapping_transformer

OutFeatures = Callable[[Config, list[Feature]], list[Feature]]


def out_features(kind: str, config: Config, inputs: list[Feature]) -> list[Feature]:
    """The maps that a component gives, from its settings and the maps that come in.

    Raises:
        NoSuchMap: it is told to use a map that does not come in, or is of a type of which no maps are known.
    """
    known = OUT_FEATURES.get((kind, config["type"]))
    return known(config, inputs) if known is not None else plugin_maps(kind, config, inputs)


def _bev_encoder(config: Config, inputs: list[Feature]) -> list[Feature]:
    """The maps of its neck."""
    return out_features("neck", config["neck"], out_features("backbone", config["backbone"], inputs))


OUT_FEATURES: MappingProxyType[tuple[str, str], OutFeatures] = MappingProxyType(
    {
        ("backbone", "efficientnet"): efficientnet,
        ("backbone", "resnet"): resnet,
        ("neck", "FastSCNNNeck"): fast_scnn,
        ("neck", "BiFPN"): bifpn,
        ("view_transformer", "WrappingTransformer"): wrapping_transformer,
        ("bev_encoder", "BevEncoder"): _bev_encoder,
        ("head", "DepthwiseSeparableFCNHead"): fcn_head,
        ("head", "CenterPoint3dHead"): center_point_head,
    }
)
