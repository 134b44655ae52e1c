import pytest
import torch
from toy_parts import ToyModel

from runtime.errors import RunError
from runtime.training.convert import ModelConvertPipeline
from runtime.training.load_checkpoint import LoadCheckpoint
from runtime.training.weights_file import save_weights


def filled(value: float) -> dict[str, torch.Tensor]:
    return {key: torch.full_like(tensor, value) for key, tensor in ToyModel().state_dict().items()}


def load(path, **options) -> ToyModel:
    model = ToyModel()
    assert (
        ModelConvertPipeline(converters=[LoadCheckpoint(checkpoint_path=str(path), **options)])(model)
        is model
    )
    return model


@pytest.mark.parametrize("nest", [None, "state_dict", "model"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_plain_torch_files_are_read_whatever_their_wrapping(tmp_path, nest, prefix):
    weights = {prefix + key: value for key, value in filled(2.0).items()}
    torch.save(weights if nest is None else {nest: weights, "epoch": 4}, tmp_path / "best.pth.tar")
    model = load(tmp_path / "best.pth.tar")
    assert model.head.weight.eq(2.0).all() and model.backbone[1].running_mean.eq(2.0).all()


def test_safetensors_are_read(tmp_path):
    save_weights(tmp_path / "best.safetensors", filled(3.0), {})
    assert load(tmp_path / "best.safetensors").head.bias.item() == 3.0


def test_weights_of_the_backbone_alone_go_under_backbone(tmp_path):
    weights = {
        key.removeprefix("backbone."): value
        for key, value in filled(2.0).items()
        if key.startswith("backbone.")
    }
    torch.save({**weights, "classifier.weight": torch.zeros(10, 2)}, tmp_path / "imagenet.pth")
    torch.manual_seed(0)
    model = load(tmp_path / "imagenet.pth", allow_miss=True, ignore_extra=True)
    assert model.backbone[0].weight.eq(2.0).all()
    assert not model.head.weight.eq(2.0).any()


def test_a_backbone_translates_foreign_keys_itself(tmp_path):
    class Backbone(torch.nn.Linear):
        def convert_pretrained(self, weights):
            return {key.removeprefix("stem_"): value for key, value in weights.items()}

    model = torch.nn.Module()
    model.backbone = Backbone(2, 1)
    torch.save({"stem_weight": torch.full((1, 2), 5.0), "stem_bias": torch.zeros(1)}, tmp_path / "zoo.pth")
    LoadCheckpoint(checkpoint_path=str(tmp_path / "zoo.pth"))(model)
    assert model.backbone.weight.tolist() == [[5.0, 5.0]]


def test_every_key_that_does_not_fit_is_told_and_nothing_is_loaded(tmp_path):
    weights = filled(2.0)
    del weights["head.bias"]
    weights["head.weight"] = torch.zeros(1, 3)
    weights["tail.weight"] = torch.zeros(1)
    torch.save(weights, tmp_path / "w.pth")
    model = ToyModel()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with pytest.raises(RunError) as caught:
        LoadCheckpoint(checkpoint_path=str(tmp_path / "w.pth"), allow_miss=True, ignore_extra=True)(model)
    assert str(caught.value) == (
        f"{tmp_path / 'w.pth'}: error: the weights do not fit the model "
        "(1 missing: head.bias; 1 extra: tail.weight; "
        "1 mismatched: head.weight is (1, 3) in the file, (1, 8) in the model)\n"
        "hint: take the checkpoint of this experiment, or build the experiment that it was trained with"
    )
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())


@pytest.mark.parametrize(
    ("change", "options", "hint"),
    [
        ("miss", {}, "set `allow_miss: true` to start the rest afresh"),
        ("miss", {"ignore_extra": True}, "set `allow_miss: true` to start the rest afresh"),
        ("extra", {}, "set `ignore_extra: true`"),
        ("extra", {"allow_miss": True}, "set `ignore_extra: true`"),
    ],
)
def test_each_leave_must_be_given(tmp_path, change, options, hint):
    weights = filled(2.0)
    if change == "miss":
        del weights["head.bias"]
    else:
        weights["tail"] = torch.zeros(1)
    torch.save(weights, tmp_path / "w.pth")
    with pytest.raises(RunError) as caught:
        load(tmp_path / "w.pth", **options)
    assert caught.value.hint == hint
    assert load(tmp_path / "w.pth", allow_miss=True, ignore_extra=True).head.weight.eq(2.0).all()


def test_another_models_checkpoint_is_named_as_such_even_with_every_leave(tmp_path):
    torch.save({f"stage{index}.weight": torch.zeros(1) for index in range(7)}, tmp_path / "other.pth")
    with pytest.raises(RunError, match="checkpoint of another model, no key fits") as caught:
        load(tmp_path / "other.pth", allow_miss=True, ignore_extra=True)
    assert "7 extra: stage0.weight, stage1.weight, stage2.weight, stage3.weight, stage4.weight, ..." in str(
        caught.value
    )
    with pytest.raises(RunError, match=r"stage6\.weight"):
        load(tmp_path / "other.pth", verbose=True)


def test_unreadable_files_are_run_errors(tmp_path):
    with pytest.raises(
        RunError, match=r"no such checkpoint\nhint: put it there, or name another `checkpoint_path`"
    ):
        load(tmp_path / "none.pth")
    (tmp_path / "bad.pth").write_bytes(b"\x80garbage")
    with pytest.raises(RunError, match="not a readable table of tensors, 8 bytes"):
        load(tmp_path / "bad.pth")
    torch.save({"epoch": 3, "w": torch.zeros(1)}, tmp_path / "mixed.pth")
    with pytest.raises(RunError, match="holds values that are not tensors: epoch"):
        load(tmp_path / "mixed.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(RunError, match="holds a list, not weights by key"):
        load(tmp_path / "list.pth")
