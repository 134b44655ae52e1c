"""The counts by arithmetic are those of the real modules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from specgen.codes.example import base_text
from specgen.inference.out_features import OUT_FEATURES
from specgen.locate import ready_specs
from specgen.parameters import PARAMETERS, part_parameters
from specgen.pipeline import CompiledSpec, compiled
from specgen.sources import Sources

Build = Callable[[str, dict[str, Any]], Any]

SETS = (
    (),
    *((f"model.backbone={{type: resnet, depth: {depth}}}",) for depth in (18, 34, 50)),
    *((f"model.backbone={{type: efficientnet, model_type: b{size}}}",) for size in (1, 3, 4)),
    ("model.backbone={type: efficientnet, width_multiplier: 0.35, use_se_block: true}",),
    ("model.neck={type: FastSCNNNeck, feat_channels: [16, 24, 8], indexes: [-4, -3, -1], pool_bins: [1]}",),
    ("model.bev_encoder.neck.stack=1", "model.bev_encoder.neck.out_strides=[2, 4]"),
    ("model.bev_encoder.neck.num_outs=7", "model.bev_encoder.neck.out_strides=[2]"),
    ("model.bev_decoders.0.head.num_convs=1", "model.bev_decoders.1.head.share_conv_num=0"),
    ("model.bev_decoders.1.head.num_heatmap_convs=1", "model.bev_decoders.1.head.final_kernel=1"),
    ("model.bev_decoders.1.head.share_conv_num=3", "model.bev_decoders.1.head.num_heatmap_convs=4"),
)


def specs(folder: Path) -> dict[str, Path]:
    small = folder / "small.yaml"
    small.write_text(base_text(), encoding="utf-8")
    return {**ready_specs(), "small": small}


def learned(spec: CompiledSpec, build: Build) -> dict[str, int]:
    """Parameters that the module of each part really has."""
    found = {}
    for node in spec.graph.nodes:
        if node.path:
            module = build(_kind(node.path), spec.root.plain_at(*node.path))
            found[node.name] = sum(item.numel() for item in module.parameters())
    return found


def _kind(path: tuple[str | int, ...]) -> str:
    return str(path[-1])


@pytest.mark.parametrize("name", ["bev_ipm", "bev_ipm_tiny"])
def test_ready_specs(build: Build, tmp_path: Path, name: str) -> None:
    spec = compiled(specs(tmp_path)[name], Sources())
    assert part_parameters(spec.root, spec.graph) == learned(spec, build)


@pytest.mark.parametrize("sets", SETS)
def test_variants(build: Build, tmp_path: Path, sets: tuple[str, ...]) -> None:
    spec = compiled(specs(tmp_path)["small"], Sources(), sets)
    counts = part_parameters(spec.root, spec.graph)
    assert counts == learned(spec, build)
    assert list(counts) == [node.name for node in spec.graph.nodes if node.path]


def test_every_component_with_maps_has_a_count() -> None:
    assert set(PARAMETERS) == {name for kind, name in OUT_FEATURES if kind != "bev_encoder"}
