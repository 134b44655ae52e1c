"""AdamW over two parameter groups: weights that decay, and everything else that does not."""

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd


class AdamW:
    """A recipe for `torch.optim.AdamW` (Loshchilov and Hutter, 2019), built once the model exists.

    Decay is for the weights of convolutions and linear layers only: biases and the scales and shifts of
    normalisation layers have no redundancy that decay could remove.

    Args:
        lr: starting learning rate; schedules multiply it.
        params: options per kind of parameter; the one kind is `weight`, its one option `weight_decay`.
        betas: decay rates of the running mean and of the running square.
        eps: added to the denominator.

    Raises:
        ValueError: `params` holds a kind or an option that does not exist.
    """

    def __init__(
        self,
        *,
        lr: float,
        params: Mapping[str, Mapping[str, float]],
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        if unknown := set(params) - {"weight"}:
            raise ValueError(f"optimizer params has no kind {sorted(unknown)}, only `weight`")
        if unknown := set(params.get("weight", {})) - {"weight_decay"}:
            raise ValueError(f"optimizer params.weight has no option {sorted(unknown)}, only `weight_decay`")
        self.lr = lr
        self.weight_decay = float(params.get("weight", {}).get("weight_decay", 0.0))
        self.betas = (float(betas[0]), float(betas[1]))
        self.eps = eps

    def build(self, model: nn.Module, *, fused: bool = True) -> torch.optim.AdamW:
        """Make the optimiser for the trainable parameters of `model`, which already is on its device.

        Args:
            model: the model to train.
            fused: one kernel for all tensors; off where gradients must be unscaled apart (fp16 with
                clipping).
        """
        decayed, plain = split_parameters(model)
        groups = [
            {"params": decayed, "weight_decay": self.weight_decay, "initial_lr": self.lr},
            {"params": plain, "weight_decay": 0.0, "initial_lr": self.lr},
        ]
        # torch refuses a group without parameters only when all are empty; an empty one would still cost a
        # kernel launch.
        groups = [group for group in groups if group["params"]]
        return torch.optim.AdamW(groups, lr=self.lr, betas=self.betas, eps=self.eps, fused=fused)


def split_parameters(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Trainable parameters as (weights of convolutions and linear layers, all others), each once, in module
    order."""
    decayed: list[nn.Parameter] = []
    plain: list[nn.Parameter] = []
    seen: set[int] = set()
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if not parameter.requires_grad or id(parameter) in seen:
                continue
            seen.add(id(parameter))
            is_weight = name == "weight" and isinstance(module, _ConvNd | nn.Linear)
            (decayed if is_weight else plain).append(parameter)
    return decayed, plain
