"""Derived values: filled in when left out, compared when written, marked with their origin."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from specgen.diagnostic import SpecError
from specgen.document import Node
from specgen.inference.derived import same
from specgen.locate import ready_specs
from specgen.pipeline import CompiledSpec, compiled
from specgen.report import rendered
from specgen.sources import Sources

BASE = ready_specs()["bev_ipm"]


def spec(*sets: str) -> Node:
    return compiled(BASE, Sources(), sets).root


def mistakes(*sets: str) -> list[tuple[str, str, str | None]]:
    with pytest.raises(SpecError) as caught:
        compiled(BASE, Sources(), sets)
    return [(item.code, item.message, item.hint) for item in caught.value.diagnostics]


@pytest.mark.parametrize(
    ("path", "value", "source"),
    [
        ("model.backbone.in_channels", 3, "the images"),
        ("model.neck.in_channels", [40, 320], "model.backbone"),
        ("model.view_transformer.in_stride", 8, "model.neck"),
        ("model.view_transformer.grid_quant_scale", 2.0**-8, "the 64 x 120 map of model.neck"),
        ("model.bev_transforms.1.map_size", [15.0, 30.0, 0.15], "data.train.dataset"),
        ("model.bev_encoder.backbone.in_channels", 64, "model.view_transformer"),
        ("model.bev_encoder.neck.in_strides", [2, 4, 8, 16, 32], "model.bev_encoder.backbone"),
        ("model.bev_encoder.neck.out_strides", [2, 4, 8, 16, 32], "model.bev_encoder.backbone"),
        (
            "model.bev_encoder.neck.stride2channels",
            {"2": 16, "4": 24, "8": 40, "16": 112, "32": 320},
            "model.bev_encoder.backbone",
        ),
        ("model.bev_decoders.0.head.in_channels", 48, "model.bev_encoder"),
        ("model.bev_decoders.0.target.num_classes", 4, "model.bev_decoders.0.head"),
        ("model.bev_decoders.0.target.use_bce", False, "model.bev_decoders.0"),
        ("model.bev_decoders.1.target.bev_size", [51.2, 51.2, 0.8], "model.view_transformer"),
        ("model.bev_decoders.1.decoder.norm_bbox", True, "model.bev_decoders.1.target"),
        ("stages.float.model", "model", "model"),
        (
            "stages.calibration.model_convert_pipeline.converters.1.quantization",
            "quantization",
            "quantization",
        ),
        ("stages.calibration.model_convert_pipeline.converters.1.image_size", [512, 960], "data.val"),
        ("stages.calibration.model_convert_pipeline.converters.1.num_views", 6, "model.view_transformer"),
        ("stages.qat.model_convert_pipeline.converters.0.image_size", [512, 960], "data.val"),
    ],
)
def test_left_out(path: str, value: Any, source: str) -> None:
    steps = [int(step) if step.isdigit() else step for step in path.split(".")]
    node = spec().at(*steps)
    assert (node.plain(), node.origin.kind, node.origin.source) == (value, "derived", source)


def test_written_and_right_stays_written() -> None:
    node = spec("model.neck.in_channels=[40, 320]").at("model", "neck", "in_channels")
    assert node.written and node.plain() == [40, 320]
    channels = spec("model.bev_encoder.neck.stride2channels={2: 16, 4: 24, 8: 40, 16: 112, 32: 320}")
    assert channels.at("model", "bev_encoder", "neck", "stride2channels").written


@pytest.mark.parametrize(
    ("assignment", "message", "hint"),
    [
        (
            "model.backbone.in_channels=4",
            "`model.backbone.in_channels` is 4, but the images have 3 channels",
            "leave `in_channels` out: it is taken from the images",
        ),
        (
            "model.neck.in_channels=[40, 112]",
            "`model.neck.in_channels` is [40, 112], but the backbone gives [40, 320] at `indexes` [-3, -1]",
            "leave `in_channels` out: it is taken from the backbone",
        ),
        (
            "model.view_transformer.in_stride=4",
            "`model.view_transformer.in_stride` is 4, but the neck gives stride 8 at `bev_feat_index` -1",
            "leave `in_stride` out: it is taken from the neck",
        ),
        (
            "model.bev_encoder.backbone.in_channels=3",
            "`model.bev_encoder.backbone.in_channels` is 3, but the view transformer gives 64 channels, "
            "those of the neck",
            "leave `in_channels` out: it is taken from the view transformer",
        ),
        (
            "model.bev_encoder.neck.in_strides=[2, 4, 8, 16]",
            "`model.bev_encoder.neck.in_strides` is [2, 4, 8, 16], "
            "but the backbone gives maps of strides [2, 4, 8, 16, 32]",
            "leave `in_strides` out: it is taken from the backbone",
        ),
        (
            "model.bev_encoder.neck.stride2channels={2: 16, 4: 24, 8: 40, 16: 112, 32: 160}",
            "`model.bev_encoder.neck.stride2channels` is {2: 16, 4: 24, 8: 40, 16: 112, 32: 160}, "
            "but the backbone gives {2: 16, 4: 24, 8: 40, 16: 112, 32: 320}",
            "leave `stride2channels` out: it is taken from the backbone",
        ),
        (
            "model.bev_decoders.0.head.in_channels=64",
            "`model.bev_decoders.0.head.in_channels` is 64, but the BEV encoder gives 48 at `input_index` 0",
            "leave `in_channels` out: it is taken from the BEV encoder",
        ),
        (
            "model.bev_decoders.0.decoder.use_bce=true",
            "`model.bev_decoders.0.decoder.use_bce` is true, but the task has false",
            "leave `use_bce` out: it is taken from the task",
        ),
        (
            "model.bev_decoders.1.decoder.bev_size=[51.2, 51.2, 0.4]",
            "`model.bev_decoders.1.decoder.bev_size` is [51.2, 51.2, 0.4], "
            "but the view transformer has [51.2, 51.2, 0.8]",
            "leave `bev_size` out: it is taken from the view transformer",
        ),
        (
            "model.bev_transforms.0.map_size=[15.0, 30.0, 0.3]",
            "`model.bev_transforms.0.map_size` is [15.0, 30.0, 0.3], but the dataset has [15.0, 30.0, 0.15]",
            "leave `map_size` out: it is taken from the dataset",
        ),
        (
            "model.bev_decoders.1.decoder.norm_bbox=false",
            "`model.bev_decoders.1.decoder.norm_bbox` is false, but the target has true",
            "leave `norm_bbox` out: it is taken from the target",
        ),
    ],
)
def test_written_and_wrong(assignment: str, message: str, hint: str) -> None:
    assert mistakes(assignment) == [("E201", message, hint)]


def test_another_backbone_needs_no_other_edit() -> None:
    for backbone in (
        "{type: resnet, depth: 50}",
        "{type: resnet, depth: 18}",
        "{type: efficientnet, model_type: b4}",
    ):
        for place in ("model.backbone", "model.bev_encoder.backbone"):
            root = spec(f"{place}={backbone}")
            assert root.at(*place.split("."), "type").written
    root = spec("model.backbone={type: resnet, depth: 50}")
    assert root.plain_at("model", "neck", "in_channels") == [512, 2048]
    assert root.plain_at("model", "view_transformer", "in_stride") == 8


def test_another_backbone_in_a_file_needs_no_other_edit(tmp_path: Path) -> None:
    """One edited line of the file, as a person would do it, and nothing else."""
    lines = BASE.read_text(encoding="utf-8").splitlines(keepends=True)
    start = next(i for i, line in enumerate(lines) if line == "  backbone:\n")
    stop = next(i for i in range(start + 1, len(lines)) if lines[i].startswith("  neck:"))
    path = tmp_path / "resnet.yaml"
    path.write_text("".join([*lines[:start], "  backbone: {type: resnet, depth: 50}\n", *lines[stop:]]))
    was, now = compiled(BASE, Sources()).root, compiled(path, Sources()).root
    assert now.plain_at("model", "neck", "in_channels") == [512, 2048]
    differing = {
        path[:2] for path, node in now.walk() if node.is_scalar and was.plain_at(*path) != node.plain()
    }
    assert differing == {("model", "backbone"), ("model", "neck")}


def test_another_backbone_in_a_child_spec_needs_no_other_edit(tmp_path: Path) -> None:
    shutil.copy(BASE, tmp_path / "base.yaml")
    path = tmp_path / "child.yaml"
    path.write_text("name: child\nextends: base.yaml\nmodel:\n  backbone: {type: resnet, depth: 50}\n")
    assert compiled(path, Sources()).root.plain_at("model", "neck", "in_channels") == [512, 2048]


def test_the_text_of_the_design(tmp_path: Path) -> None:
    """The first error that a person meets, in full."""
    text = BASE.read_text(encoding="utf-8").replace(
        "    type: FastSCNNNeck\n", "    type: FastSCNNNeck\n    in_channels: [40, 320]\n"
    )
    lines = text.splitlines(keepends=True)
    start = lines.index("  backbone:\n")
    stop = lines.index("  neck:\n")
    (tmp_path / "my.yaml").write_text(
        "".join([*lines[:start], "  backbone: {type: resnet, depth: 50}\n", *lines[stop:]]), encoding="utf-8"
    )
    sources = Sources()
    with pytest.raises(SpecError) as caught:
        compiled(tmp_path / "my.yaml", sources)
    found = rendered(caught.value.diagnostics, sources)
    line = start + 1
    assert found == (
        f"my.yaml:{line + 3}:18: error[E201]: `model.neck.in_channels` is [40, 320], "
        "but the backbone gives [512, 2048] at `indexes` [-3, -1]\n"
        f"{line} |   backbone: {{type: resnet, depth: 50}}\n"
        "   |                    ------ gives 64@2, 256@4, 512@8, 1024@16, 2048@32 (channels@stride)\n"
        f"{line + 3} |     in_channels: [40, 320]\n"
        "   |                  ^^^^^^^^^\n"
        "hint: leave `in_channels` out: it is taken from the backbone\n"
    )


def test_graph() -> None:
    result: CompiledSpec = compiled(BASE, Sources())
    assert [(node.name, node.type, " ".join(map(str, node.features))) for node in result.graph.nodes] == [
        ("img", "images", "3@1"),
        ("backbone", "efficientnet", "16@2 24@4 40@8 112@16 320@32"),
        ("neck", "FastSCNNNeck", "64@32 64@8"),
        ("view_transformer", "WrappingTransformer", "64@1"),
        ("bev_encoder.backbone", "efficientnet", "16@2 24@4 40@8 112@16 320@32"),
        ("bev_encoder.neck", "BiFPN", "48@2 48@4 48@8 48@16 48@32"),
        ("bev_seg", "DepthwiseSeparableFCNHead", "4@2"),
        ("bev_det", "CenterPoint3dHead", "70@2"),
    ]
    assert result.graph.edges == (
        ("img", "backbone"),
        ("backbone", "neck"),
        ("neck", "view_transformer"),
        ("view_transformer", "bev_encoder.backbone"),
        ("bev_encoder.backbone", "bev_encoder.neck"),
        ("bev_encoder.neck", "bev_seg"),
        ("bev_encoder.neck", "bev_det"),
    )


@pytest.mark.parametrize(
    ("written", "derived", "equal"),
    [
        ([1, 2], (1, 2), True),
        ([1, 2], [2, 1], False),
        ({"2": 16}, {2: 16}, True),
        ({"2": 16, "4": 24}, {2: 16}, False),
        (1, True, False),
        (True, 1, False),
        (True, True, True),
        (8.0, 8, True),
        ("a", "a", True),
    ],
)
def test_same(written: Any, derived: Any, equal: bool) -> None:
    assert same(written, derived) is equal
