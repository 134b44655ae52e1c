"""Rules of data and model: the other ways to break one than its golden case."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_spec import BASE, messages

BEV_ENCODER_BACKBONE = "    backbone: {type: resnet, depth: 18}\n"


@pytest.mark.parametrize(
    ("edit", "code", "message", "hint"),
    [
        (
            ("{type: BevImgResize, scales: [0.54, 0.62]}", "{type: BevImgResize}"),
            "E301",
            "`data.train.dataset.transforms.0` has neither `size` nor `scales`, it needs one of them",
            None,
        ),
        (
            ("scales: [0.54, 0.62]", "scales: [0.62, 0.54]"),
            "E302",
            "`data.train.dataset.transforms.0.scales` is [0.62, 0.54], "
            "but a range starts with the lower value",
            "write [0.54, 0.62]",
        ),
        (
            (
                "        - {type: BevImgRotate, rot: [-2.0, 2.0]}\n",
                "        - {type: BevImgTransformWrapper, transforms: [{type: PILToTensor}]}\n",
            ),
            "E307",
            "`data.train.dataset.transforms` has a `BevImgTransformWrapper` before its end",
            "put it last: other transforms work on whole views",
        ),
        (
            (BEV_ENCODER_BACKBONE, "    backbone: {type: resnet, include_top: true}\n"),
            "E308",
            "`model.bev_encoder.backbone.include_top` is true, but the model needs the feature maps",
            "write `include_top: false`",
        ),
        (
            ("indexes: [-3, -1]", "indexes: [-1, -3]"),
            "E311",
            "`model.neck.indexes` is [-1, -3], which does not go from shallow to deep",
            None,
        ),
        (
            ("indexes: [-3, -1]", "indexes: [2, -3]"),
            "E311",
            "`model.neck.indexes` is [2, -3], which does not go from shallow to deep",
            None,
        ),
        (
            ("num_outs: 5", "num_outs: 4"),
            "E313",
            "`model.bev_encoder.neck.num_outs` is 4, but 5 levels come in",
            None,
        ),
        (
            ("start_level: 0", "start_level: 0\n      end_level: 5"),
            "E313",
            "`model.bev_encoder.neck` uses levels 0 to 5, but the backbone gives 5 maps",
            None,
        ),
        (
            ("out_strides: [2, 4, 8, 16, 32]", "out_strides: [4, 2]"),
            "E314",
            "`model.bev_encoder.neck.out_strides` is [4, 2], but the levels have strides [2, 4, 8, 16, 32]",
            None,
        ),
        (
            ("input_index: 0", "input_index: 5"),
            "E315",
            "`model.bev_decoders.0.head.input_index` is 5, "
            "but the BEV encoder gives 5 maps: 32@2, 32@4, 32@8, 32@16, 32@32",
            None,
        ),
        (
            ("bev_upscale: 2", "bev_upscale: 1"),
            "E325",
            "`model.bev_decoders.0.head` works on a map of stride 2, but `bev_upscale` 1 asks for stride 1",
            None,
        ),
        (
            ("[car, truck, construction_vehicle, bus,", "[cars, truck, construction_vehicle, bus,"),
            "E333",
            "`model.bev_decoders.1.target.class_names` has `cars`, which is no class of the dataset",
            "did you mean `car`?",
        ),
        (
            ("[pedestrian, traffic_cone]]", "[pedestrian, traffic_cone, car]]"),
            "E334",
            "`model.bev_decoders.1.head.tasks` has `car` twice",
            None,
        ),
        (
            ("[pedestrian, traffic_cone]]", "[pedestrian]]"),
            "E334",
            "`model.bev_decoders.1.head.tasks` lacks `traffic_cone`: no task would find it",
            None,
        ),
        (
            ("max_num: 500", "max_num: 500, max_pool_kernel: 2"),
            "E337",
            "`model.bev_decoders.1.decoder.max_pool_kernel` is 2, but a kernel's side is odd",
            None,
        ),
        (
            ("[1.0, 5.0, 5.0, 5.0]", "2.0"),
            "E343",
            "`model.bev_decoders.0.loss.class_weight` is 2.0, but it needs 4 numbers, one a class",
            None,
        ),
    ],
)
def test_broken(tmp_path: Path, edit: tuple[str, str], code: str, message: str, hint: str | None) -> None:
    if edit[0] not in BASE:
        # An argument that the base leaves to its default goes where it belongs.
        edit = ("        nms_type:", f"        {edit[1].split(', ')[1]}\n        nms_type:")
    assert (code, message, hint) in messages(tmp_path, edit)
