"""`specgen explain`: codes, places of a spec, components; what they are in one spec."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., Any]


def test_a_property_of_one_of_several_types(run: Run) -> None:
    done = run("explain", "model.backbone.model_type")
    assert done.out == (
        "model.backbone.model_type: Size of the network, which sets width and depth.\n"
        "\n"
        "type      one of `b0`, `b1`, `b2`, `b3`, `b4`\n"
        "default   b0\n"
        "key of    efficientnet (backbone)\n"
        "not of    resnet\n"
        "also at   model.bev_encoder.backbone.model_type\n"
    )
    assert (done.status, done.err) == (0, "")


def test_unit_bounds_and_namesakes(run: Run) -> None:
    assert run("explain", "data.train.dataset.transforms.0.rot").out == (
        "data.train.dataset.transforms.0.rot: Range of the angle.\n"
        "\n"
        "type      list of 2 numbers (-180 to 180)\n"
        "unit      degrees\n"
        "default   [-5.4, 5.4]\n"
        "key of    BevImgRotate (transform)\n"
        "not of    BevImgColorJitter, BevImgCrop, BevImgFlip, BevImgResize, BevImgTransformWrapper\n"
        "also in   BevRotate (bev_transform)\n"
    )


def test_a_derived_property(run: Run) -> None:
    text = run("explain", "model.neck.in_channels").out
    assert (
        "derived   The channels of the backbone's feature maps at `indexes`; a written value is checked\n"
        "          against it\n"
    ) in text


def test_types_that_say_different_things_have_a_block_each(run: Run) -> None:
    text = run("explain", "data.train.dataset.transforms.0.size").out
    assert text.count("data.train.dataset.transforms.0.size: ") == 2
    assert "key of    BevImgCrop (transform)" in text and "key of    BevImgResize (transform)" in text


def test_a_place_of_a_component_lists_types_and_keys(run: Run) -> None:
    text = run("explain", "model.backbone").out
    assert text.startswith(
        "model.backbone: Network on the images.\n\ntype      component of the kind `backbone`\n"
    )
    assert "\ntypes of backbone\n  efficientnet: EfficientNet: inverted" in text
    assert "      keys: depth, in_channels, num_classes, include_top, bn_kwargs\n" in text
    assert text.endswith("\n`specgen explain model.backbone.KEY` says more of a key.\n")


def test_a_key_inside_a_map_of_a_component(run: Run) -> None:
    assert run("explain", "model.backbone.bn_kwargs.eps").out == (
        "model.backbone.bn_kwargs.eps: Added to the variance before the square root.\n"
        "\n"
        "type      number, more than 0 and at most 0.1\n"
        "inside    efficientnet (backbone), resnet (backbone)\n"
        "also at   model.bev_encoder.backbone.bn_kwargs.eps\n"
        "also in   CenterPoint3dHead (head), DepthwiseSeparableFCNHead (head), BiFPN (neck), FastSCNNNeck\n"
        "          (neck)\n"
    )


def test_a_top_level_property(run: Run) -> None:
    text = run("explain", "march").out
    assert text.startswith("march: Architecture of the chip")
    assert "type      text, such as `bernoulli2`, `bayes`," in text
    assert "needed    it has no default\n" in text


def test_a_component_and_a_kind_by_name(run: Run) -> None:
    text = run("explain", "resnet").out
    assert text.startswith("resnet: ResNet: residual blocks, five feature maps of strides 2 to 32.\n\nkind ")
    assert "\nstands at model.backbone, model.bev_encoder.backbone\n" in text
    assert "\n  depth: Number of layers with weights. (default 50)\n" in text
    assert run("explain", "neck").out.startswith("types of neck\n  BiFPN: ")


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("model.neck.in_channels", "in bev_ipm: [40, 320]\n    from model.backbone\n"),
        ("model.neck.pool_bins", "in bev_ipm: [1, 2, 4, 8]\n    by default\n"),
        (
            "model.backbone.depth",
            "in bev_ipm: `model.backbone` is of the type `efficientnet`, which has no `depth`\n",
        ),
        ("model.bev_decoders.7.name", "in bev_ipm: `model.bev_decoders` has no `7`\n"),
    ],
)
def test_in_one_spec(run: Run, place: str, said: str) -> None:
    done = run("explain", place, "--spec", "bev_ipm")
    assert done.status == 0
    assert done.out.endswith(f"\n\n{said}")


def test_where_it_is_written(run: Run) -> None:
    text = run("explain", "model.backbone.model_type", "--spec", "bev_ipm").out
    assert "\n\nin bev_ipm: b0\n    written at specs/bev_ipm.yaml:" in text


def test_codes(run: Run) -> None:
    assert run("explain", "e201").out == run("explain", "E201").out
    assert run("explain", "E201").out.startswith("E201: A value that follows from other parts")
    assert run("explain").out.startswith("E0xx: reading\n  E001  A spec file that is named")


@pytest.mark.parametrize(
    ("subject", "error"),
    [
        ("E999", "there is no code `E999`\nhint: `specgen explain` lists all codes"),
        (
            "model.backbone.dept",
            "`model.backbone` has no key `dept`\nhint: did you mean `model.backbone.depth`?",
        ),
        ("modle.backbone", "a spec has no key `modle`\nhint: did you mean `model.backbone`?"),
        (
            "E2O1",
            "a spec has no key `E2O1`\nhint: codes are `E` and three digits; `specgen explain` lists them",
        ),
        (
            "e20",
            "a spec has no key `e20`\nhint: codes are `E` and three digits; `specgen explain` lists them",
        ),
        (
            "map_size",
            "a spec has no key `map_size`\n"
            "hint: it is a key of components: ask for `model.bev_transforms.0.map_size` or "
            "`data.train.dataset.map_size`",
        ),
        ("resnt", "a spec has no key `resnt`\nhint: did you mean `resnet`?"),
        (
            "num_outs",
            "a spec has no key `num_outs`\n"
            "hint: it is a key of components: ask for `model.neck.num_outs` or "
            "`model.bev_encoder.neck.num_outs`",
        ),
        (
            "model.bev_decoders.head",
            "`model.bev_decoders` is a list, and `head` no number of an element\n"
            "hint: write `model.bev_decoders.0.head`",
        ),
        ("vars.size", "what is in `vars` is up to the spec: no schema says more of it"),
        (
            "model.backbone.depth.x",
            "`model.backbone.depth` holds a value without parts, so there is no `model.backbone.depth.x`",
        ),
    ],
)
def test_what_is_not_there(run: Run, subject: str, error: str) -> None:
    done = run("explain", subject)
    assert (done.status, done.out, done.err) == (1, "", f"error: {error}\n")


def test_a_code_is_not_in_a_spec(run: Run) -> None:
    done = run("explain", "E201", "--spec", "bev_ipm")
    assert (done.status, done.out) == (2, "")
    assert "`--spec` goes with a place" in done.err


@pytest.mark.parametrize("width", [80, 110])
@pytest.mark.parametrize(
    "subject", ["model.view_transformer.bev_size", "CenterPoint3dHead", "transform", "stages.float"]
)
def test_no_line_is_longer_than_the_terminal(
    run: Run, monkeypatch: pytest.MonkeyPatch, subject: str, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    lines = run("explain", subject).out.splitlines()
    assert lines and [line for line in lines if len(line) > width and " " in line.strip()] == []
