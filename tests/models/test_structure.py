"""The whole model: losses, results, deployed graph, at small and at full size."""

from __future__ import annotations

import copy

import pytest
import torch

from runtime.models.backbones.resnet import ResNet
from runtime.models.bev_encoder import BevEncoder
from runtime.models.necks.bifpn import BiFPN
from runtime.models.necks.fast_scnn import FastSCNNNeck
from runtime.models.structure import BevStructure, DeployedModel

LOSSES = ["bev_seg/loss_decode", "bev_det/loss_heatmap", "bev_det/loss_bbox"]


def points_of(model: BevStructure, batch: dict) -> torch.Tensor:
    return model.view_transformer.points(batch["ego2img"], image_size=tuple(batch["img"].shape[-2:]))


def test_training_gives_named_losses_and_gradients(make_tiny_model, tiny_batch) -> None:
    model = make_tiny_model()
    losses = model(tiny_batch)
    assert list(losses) == LOSSES
    assert all(loss.shape == () and loss.isfinite() and loss > 0 for loss in losses.values())
    sum(losses.values()).backward()
    without = [name for name, p in model.named_parameters() if p.grad is None]
    # The heads read the finest level only: in the last stack nothing needs the nodes that lead to others.
    assert without
    assert all(name.startswith("bev_encoder.neck.stacks.0.bottom_up.") for name in without)
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


def test_a_few_steps_lower_every_loss(make_tiny_model, tiny_batch) -> None:
    model = make_tiny_model(drop_prob=0.0)
    tiny_batch["gt_seg"] = (torch.arange(48) > 20).long().expand(2, 32, 48)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    first = {name: loss.item() for name, loss in model(tiny_batch).items()}
    for _ in range(10):
        optimizer.zero_grad()
        losses = model(tiny_batch)
        sum(losses.values()).backward()
        optimizer.step()
    for name in LOSSES:
        assert losses[name].item() < 0.8 * first[name], name


def test_bfloat16_autocast_trains(make_tiny_model, tiny_batch) -> None:
    model = make_tiny_model(drop_prob=0.0)
    exact = model(tiny_batch)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        losses = model(tiny_batch)
    sum(losses.values()).backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())
    for name in LOSSES:
        torch.testing.assert_close(losses[name].float(), exact[name], rtol=0.05, atol=0.01)


def test_evaluation_gives_results_by_decoder(make_tiny_model, tiny_batch) -> None:
    model = make_tiny_model().eval()
    results = model({key: tiny_batch[key] for key in ("img", "ego2img")})
    assert set(results) == {"bev_seg", "bev_det"}
    assert results["bev_seg"].shape == (2, 32, 48)
    assert results["bev_seg"].dtype == torch.int64
    assert len(results["bev_det"]) == 2
    for sample in results["bev_det"]:
        boxes = sample["boxes"]
        assert boxes.shape[1:] == (9,)
        assert sample["scores"].shape == sample["labels"].shape == boxes.shape[:1]


def test_raw_outputs_are_those_that_evaluation_decodes(make_tiny_model, tiny_batch) -> None:
    model = make_tiny_model().eval()
    raw = model.raw_outputs(tiny_batch["img"], points_of(model, tiny_batch))
    assert {name: tuple(x.shape) for name, x in raw.items()}["bev_seg"] == (2, 4, 32, 48)
    heatmaps = [x.shape[1:] for name, x in raw.items() if name.endswith("heatmap")]
    assert heatmaps == [(classes, 32, 48) for classes in (1, 2, 2, 1, 2, 2)]
    assert len(raw) == 1 + 6 * 6
    assert torch.equal(model.decode(raw)["bev_seg"], model(tiny_batch)["bev_seg"])


def test_samples_of_a_batch_do_not_touch_each_other(make_tiny_model, tiny_batch) -> None:
    model = make_tiny_model().eval()
    together = model.raw_outputs(tiny_batch["img"], points_of(model, tiny_batch))
    second = {"img": tiny_batch["img"][6:], "ego2img": tiny_batch["ego2img"][1:]}
    alone = model.raw_outputs(second["img"], points_of(model, second))
    for name, value in alone.items():
        torch.testing.assert_close(together[name][1:], value, rtol=1e-4, atol=1e-4)


def test_each_view_matters_and_only_through_its_points(make_tiny_model, tiny_batch) -> None:
    model = make_tiny_model().eval()
    points = points_of(model, tiny_batch)
    bev = model.bev_feature(tiny_batch["img"], points)
    for view in range(6):
        img = tiny_batch["img"].clone()
        img[view] = 0
        changed = (model.bev_feature(img, points) - bev).abs().amax(1)
        assert changed[0].amax() > 1e-3
        assert changed[1].amax() < 1e-4
        blind = points.clone()
        blind[view] = -2
        torch.testing.assert_close(model.bev_feature(img, blind), model.bev_feature(tiny_batch["img"], blind))


def test_bev_transforms_see_feature_and_batch_in_training_only(make_tiny_model, tiny_batch) -> None:
    calls = []

    def zero(feature: torch.Tensor, batch: dict) -> tuple[torch.Tensor, dict]:
        calls.append(tuple(feature.shape))
        return feature * 0, {**batch, "gt_seg": torch.zeros_like(batch["gt_seg"])}

    torch.manual_seed(1)
    plain = make_tiny_model(drop_prob=0.0)
    model = copy.deepcopy(plain)
    model.bev_transforms = (zero, zero)
    with torch.no_grad():
        torch.manual_seed(2)
        changed = model(tiny_batch)
        torch.manual_seed(2)
        unchanged = plain(tiny_batch)
    assert calls == [(2, 16, 64, 96)] * 2
    assert changed["bev_seg/loss_decode"] != unchanged["bev_seg/loss_decode"]
    assert (tiny_batch["gt_seg"] != 0).any()
    model.eval()(tiny_batch)
    assert len(calls) == 2


def test_deployed_graph_is_exported_with_two_inputs_and_computes_the_same(
    make_tiny_model, tiny_batch
) -> None:
    model = make_tiny_model().eval()
    img, points = tiny_batch["img"][:6], points_of(model, tiny_batch)[:6]
    program = torch.export.export(DeployedModel(model), (img, points))
    assert [
        spec.arg.name for spec in program.graph_signature.input_specs if spec.kind.name == "USER_INPUT"
    ] == [
        "img",
        "points",
    ]
    # Another rig needs no new network.
    other = points.roll(1, 0)
    expected = model.raw_outputs(img, other)
    outputs = program.module()(img, other)
    assert list(outputs) == list(expected)
    for name in expected:
        torch.testing.assert_close(outputs[name], expected[name], rtol=1e-3, atol=1e-3)
    operations = {str(node.target) for node in program.graph.nodes if node.op == "call_function"}
    assert not [
        name for name in operations if any(word in name for word in ("clone", "contiguous", "dropout"))
    ]


def test_resnet_fits_the_same_structure(make_tiny_model, tiny_batch) -> None:
    model = make_tiny_model()
    backbone = ResNet(depth=18)
    encoder = ResNet(depth=18, in_channels=16)
    swapped = BevStructure(
        backbone=backbone,
        neck=FastSCNNNeck(in_channels=[64, 512], feat_channels=[16, 16], indexes=[1, -1]),
        view_transformer=model.view_transformer,
        bev_encoder=BevEncoder(
            backbone=encoder,
            neck=BiFPN(
                in_strides=[2, 4, 8, 16, 32],
                out_strides=[2],
                stride2channels={info.stride: info.channels for info in encoder.feature_info},
                out_channels=16,
                num_outs=5,
                stack=1,
            ),
        ),
        bev_decoders=model.decoders(),
    )
    sum(swapped(tiny_batch).values()).backward()
    # Here only the emitted level was built, so that everything learns.
    assert all(p.grad is not None for p in swapped.parameters())


def test_parts_that_do_not_fit(make_tiny_model) -> None:
    model = make_tiny_model()
    parts = {
        "backbone": model.backbone,
        "neck": model.neck,
        "view_transformer": model.view_transformer,
        "bev_encoder": model.bev_encoder,
        "bev_decoders": model.decoders(),
    }
    with pytest.raises(ValueError, match="in_stride is 4, map 0 of the neck has stride 32"):
        BevStructure(**parts, bev_feat_index=0)
    with pytest.raises(ValueError, match=r"different names, got \['bev_seg', 'bev_seg'\]"):
        BevStructure(**{**parts, "bev_decoders": [model.decoders()[0]] * 2})
    with pytest.raises(ValueError, match=r"got \[\]"):
        BevStructure(**{**parts, "bev_decoders": []})
    with pytest.raises(ValueError, match=r"in_channels is \[8, 80\]"):
        BevStructure(**{**parts, "backbone": ResNet(depth=18)})


def test_reference_size_forward_and_backward(reference_model, make_batch) -> None:
    batch = make_batch(samples=1, input_hw=(512, 960), seg_hw=(200, 400), half=50.0)
    assert reference_model.view_transformer.grid_quant_scale == 2**-8
    assert reference_model.image_feature == (64, 8)
    assert reference_model.bev_encoder.feature_info == [(48, 2), (48, 4), (48, 8), (48, 16), (48, 32)]
    losses = reference_model(batch)
    sum(losses.values()).backward()
    assert list(losses) == LOSSES
    assert all(loss.isfinite() for loss in losses.values())
    assert reference_model.backbone.stem.conv.weight.grad.abs().sum() > 0
