"""What the compiler says of a module's feature maps is what the module gives, for every component."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from runtime.models.view_transforms.sampling_points import point_codes, point_scale
from specgen.inference.features import Feature
from specgen.inference.model_features import model_features
from specgen.inference.out_features import OUT_FEATURES, out_features
from specgen.inference.view_transformers import grid_quant_scale
from specgen.locate import ready_specs
from specgen.pipeline import compiled
from specgen.schemas import Schemas
from specgen.sources import Sources

Build = Callable[[str, dict[str, Any]], Any]

EFFICIENTNETS = [
    *({"model_type": name} for name in ("b0", "b1", "b2", "b3", "b4")),
    *({"width_multiplier": width, "depth_multiplier": 0.4} for width in (0.1, 0.25, 0.35, 0.5, 0.75, 1.3)),
    {"model_type": "b3", "width_multiplier": 0.3, "depth_multiplier": 0.2, "use_se_block": True},
    {"width_multiplier": 0.25, "activation": "swish", "in_channels": 7},
]
BACKBONES = [
    *({"type": "efficientnet", **variant} for variant in EFFICIENTNETS),
    *({"type": "resnet", "depth": depth} for depth in (18, 34, 50)),
    {"type": "resnet", "depth": 18, "in_channels": 5},
]
MAPS = [Feature(8, 2), Feature(12, 4), Feature(20, 8), Feature(28, 16), Feature(36, 32)]
NECKS = [
    {"type": "FastSCNNNeck", "feat_channels": [64, 64], "indexes": [-3, -1]},
    {"type": "FastSCNNNeck", "feat_channels": [16, 32], "indexes": [1, 4], "pool_bins": [1, 2]},
    {"type": "FastSCNNNeck", "feat_channels": [8, 16, 24, 32], "indexes": [-5, -3, -2, -1]},
    {"type": "FastSCNNNeck", "feat_channels": [8], "indexes": [-2]},
    {"type": "BiFPN", "out_channels": 16, "num_outs": 5, "stack": 1},
    {"type": "BiFPN", "out_channels": 16, "num_outs": 7, "stack": 2},
    {"type": "BiFPN", "out_channels": 16, "num_outs": 3, "start_level": 1, "end_level": 2, "stack": 1},
    {"type": "BiFPN", "out_channels": 16, "num_outs": 4, "start_level": 1, "end_level": -1, "stack": 1},
    {"type": "BiFPN", "out_channels": 16, "num_outs": 5, "out_strides": [2], "stack": 3},
    {"type": "BiFPN", "out_channels": 16, "num_outs": 6, "out_strides": [4, 64], "stack": 2},
]
COMMON_HEADS = {"reg": [2, 2], "height": [1, 2], "dim": [3, 2], "rot": [2, 2], "vel": [2, 1]}
HEADS = [
    {"type": "DepthwiseSeparableFCNHead", "feat_channels": 8, "num_classes": 4},
    {"type": "DepthwiseSeparableFCNHead", "feat_channels": 16, "num_classes": 3, "num_convs": 1},
    {"type": "CenterPoint3dHead", "tasks": [["car"], ["bus", "truck"]], "common_heads": COMMON_HEADS},
    {
        "type": "CenterPoint3dHead",
        "tasks": [["car", "bus", "truck"]],
        "common_heads": {key: COMMON_HEADS[key] for key in ("reg", "height", "dim", "rot")},
        "share_conv_num": 0,
        "head_conv_channels": 4,
    },
]


def names(config: dict[str, Any]) -> str:
    return "-".join(str(value) for value in config.values() if isinstance(value, (str, int, float, list)))


def maps_of(features: list[Feature], height: int, width: int) -> list[Tensor]:
    """Random maps of these features, for an input of `height` x `width`."""
    sizes = [(math.ceil(height / stride), math.ceil(width / stride)) for _, stride in features]
    return [torch.randn(1, feature.channels, *size) for feature, size in zip(features, sizes, strict=True)]


def assert_same(maps: list[Tensor], features: list[Feature], height: int, width: int) -> None:
    expected = [(c, math.ceil(height / s), math.ceil(width / s)) for c, s in features]
    assert [tuple(item.shape[1:]) for item in maps] == expected


@torch.no_grad()
def run(module: nn.Module, *arguments: Any) -> Any:
    return module.eval()(*arguments)


@pytest.mark.parametrize("config", BACKBONES, ids=names)
def test_backbone(build: Build, config: dict[str, Any]) -> None:
    source = Feature(config.get("in_channels", 3), 1)
    features = out_features("backbone", config, [source])
    assert len(features) == 5
    maps = run(build("backbone", {"in_channels": 3, **config}), torch.randn(1, source.channels, 64, 96))
    assert_same(maps, features, 64, 96)


def neck_arguments(config: dict[str, Any], maps: list[Feature]) -> dict[str, Any]:
    """What inference adds to a neck that stands after these maps."""
    if config["type"] == "FastSCNNNeck":
        return {"in_channels": [maps[index].channels for index in config["indexes"]]}
    strides = [stride for _, stride in maps]
    return {
        "in_strides": strides,
        "stride2channels": {stride: channels for channels, stride in maps},
        "out_strides": config.get("out_strides")
        or [stride for _, stride in out_features("neck", config, maps)],
    }


@pytest.mark.parametrize("config", NECKS, ids=names)
def test_neck(build: Build, config: dict[str, Any]) -> None:
    features = out_features("neck", config, MAPS)
    module = build("neck", {**config, **neck_arguments(config, MAPS)})
    assert_same(run(module, maps_of(MAPS, 256, 512)), features, 256, 512)


@pytest.mark.parametrize("upscale", [1, 2, 3])
def test_view_transformer(build: Build, upscale: int) -> None:
    config = {"type": "WrappingTransformer", "bev_size": [4.0, 6.0, 1.0], "bev_upscale": upscale}
    (feature,) = out_features("view_transformer", config, [Feature(5, 8)])
    module = build("view_transformer", {**config, "in_stride": 8, "grid_quant_scale": 2.0**-8})
    bev = run(module, torch.randn(6, 5, 4, 7), torch.zeros(6, 8, 12, 2))
    assert_same([bev], [feature], 8 * upscale, 12 * upscale)


def test_bev_encoder(build: Build) -> None:
    backbone = {"type": "efficientnet", "width_multiplier": 0.25, "depth_multiplier": 0.3}
    neck = {"type": "BiFPN", "out_channels": 24, "num_outs": 5, "stack": 1}
    config = {"type": "BevEncoder", "backbone": backbone, "neck": neck}
    source = Feature(10, 1)
    inner = out_features("backbone", backbone, [source])
    full = {
        **config,
        "backbone": {**backbone, "in_channels": 10},
        "neck": {**neck, **neck_arguments(neck, inner)},
    }
    maps = run(build("bev_encoder", full), torch.randn(1, 10, 64, 64))
    assert_same(maps, out_features("bev_encoder", config, [source]), 64, 64)


@pytest.mark.parametrize("config", HEADS, ids=names)
def test_head(build: Build, config: dict[str, Any]) -> None:
    features = out_features("head", config, [Feature(12, 2)])
    raw = run(build("head", {**config, "in_channels": 12}), [torch.randn(1, 12, 8, 16)])
    maps = [raw] if isinstance(raw, Tensor) else list(itertools.chain(*(task.values() for task in raw)))
    assert_same(maps, features, 16, 32)


def test_every_component_with_feature_maps_is_here(schemas: Schemas) -> None:
    kinds = ("backbone", "neck", "view_transformer", "bev_encoder", "head")
    with_maps = {(kind, name) for kind in kinds for name in schemas.types(kind)}
    assert with_maps == set(OUT_FEATURES)
    tested = {("view_transformer", "WrappingTransformer"), ("bev_encoder", "BevEncoder")}
    for kind, configs in (("backbone", BACKBONES), ("neck", NECKS), ("head", HEADS)):
        tested |= {(kind, str(config["type"])) for config in configs}
    assert tested == with_maps


def test_every_model_type_is_here(schemas: Schemas) -> None:
    for name, key in (("efficientnet", "model_type"), ("resnet", "depth")):
        schema = schemas.component("backbone", name)
        assert schema is not None
        tested = {config.get(key) for config in BACKBONES if config["type"] == name}
        assert tested >= set(schema["properties"][key]["enum"])


@pytest.mark.parametrize("size", [(512, 960), (96, 256), (31, 33), (5000, 64), (8192, 8000)])
@pytest.mark.parametrize("stride", [1, 4, 8])
def test_grid_quant_scale(size: tuple[int, int], stride: int) -> None:
    height, width = math.ceil(size[0] / stride), math.ceil(size[1] / stride)
    scale = grid_quant_scale(size, stride)
    assert scale == point_scale(height, width)
    corner = np.array([[width, height]], dtype=np.float64)
    assert (point_codes(corner, height, width, scale) * scale == corner).all()


def named_parts(document: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Paths in a spec and in the real model, in pairs."""
    yield ("model", "backbone"), "backbone"
    yield ("model", "neck"), "neck"
    yield ("model", "view_transformer"), "view_transformer"
    yield ("model", "bev_encoder", "backbone"), "bev_encoder.backbone"
    yield ("model", "bev_encoder", "neck"), "bev_encoder.neck"
    for index, decoder in enumerate(document.at("model", "bev_decoders").elements()):
        yield ("model", "bev_decoders", index, "head"), f"bev_decoders.{decoder.plain_at('name')}.head"


@pytest.mark.parametrize("backbone", ["{}", "{type: resnet, depth: 18}"])
def test_whole_model(build: Build, backbone: str) -> None:
    """Maps of the tiny model in one run against those that the compiler wrote down, part by part."""
    sets = () if backbone == "{}" else (f"model.backbone={backbone}",)
    document = compiled(ready_specs()["bev_ipm_tiny"], Sources(), sets).root
    features = model_features(document)
    model = build("model", document.plain_at("model")).eval()
    parts = dict(named_parts(document))
    assert set(parts) == set(features.outputs)

    seen: dict[str, list[tuple[int, ...]]] = {}

    def record(name: str) -> Callable[..., None]:
        def hook(_: nn.Module, __: Any, output: Any) -> None:
            seen[name] = [tuple(item.shape[1:]) for item in tensors(output)]

        return hook

    for name in parts.values():
        model.get_submodule(name).register_forward_hook(record(name))
    height, width = document.plain_at("data", "val", "dataset", "transforms", 1, "size")
    rows, columns = model.view_transformer.grid.shape
    with torch.no_grad():
        model.raw_outputs(torch.randn(6, 3, height, width), torch.zeros(6, rows, columns, 2))
    for path, name in parts.items():
        on_images = path in (("model", "backbone"), ("model", "neck"))
        sides = (height, width) if on_images else model.view_transformer.out_shape
        if name == "bev_decoders.bev_seg.head":
            # The decoder brings the features to its own grid before the head.
            half_y, half_x, cell = document.plain_at("model", "bev_decoders", 0, "task_size")
            stride = features.outputs[path][0].stride
            sides = (round(2 * half_y / cell) * stride, round(2 * half_x / cell) * stride)
        expected = [(c, math.ceil(sides[0] / s), math.ceil(sides[1] / s)) for c, s in features.outputs[path]]
        assert seen[name] == expected, name


def tensors(output: Any) -> Iterator[Tensor]:
    if isinstance(output, Tensor):
        yield output
    else:
        for item in output.values() if isinstance(output, dict) else output:
            yield from tensors(item)
