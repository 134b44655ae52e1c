import pytest
import torch
from torch import nn

from runtime.training.optimizer import AdamW, split_parameters


def make_model() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2), nn.LayerNorm(2)
    )


def test_only_weights_of_convolutions_and_linear_layers_decay():
    model = make_model()
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    decayed, plain = split_parameters(model)
    assert [names[id(parameter)] for parameter in decayed] == ["0.weight", "3.weight"]
    assert [names[id(parameter)] for parameter in plain] == [
        "0.bias",
        "1.weight",
        "1.bias",
        "3.bias",
        "4.weight",
        "4.bias",
    ]


def test_groups_carry_decay_and_starting_rate():
    optimizer = AdamW(lr=2e-4, params={"weight": {"weight_decay": 0.01}}, betas=(0.8, 0.9)).build(
        make_model()
    )
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.01, 0.0]
    assert all(group["lr"] == group["initial_lr"] == 2e-4 for group in optimizer.param_groups)
    assert all(group["betas"] == (0.8, 0.9) for group in optimizer.param_groups)


def test_a_step_decays_a_weight_without_gradient_but_not_its_bias():
    model = nn.Linear(2, 1)
    nn.init.ones_(model.weight)
    nn.init.ones_(model.bias)
    optimizer = AdamW(lr=0.1, params={"weight": {"weight_decay": 0.5}}).build(model)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    # Decoupled decay: w - lr * decay * w.
    assert model.weight.detach().tolist() == [[pytest.approx(0.95), pytest.approx(0.95)]]
    assert model.bias.item() == 1.0


def test_frozen_and_shared_parameters():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[1].weight = model[0].weight
    model[1].bias.requires_grad_(False)
    decayed, plain = split_parameters(model)
    assert (len(decayed), len(plain)) == (1, 1)


@pytest.mark.parametrize("params", [{"bias": {}}, {"weight": {"momentum": 1.0}}])
def test_unknown_groups_and_options_are_refused(params):
    with pytest.raises(ValueError, match=r"no kind|no option"):
        AdamW(lr=0.1, params=params)
