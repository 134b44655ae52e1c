"""Takes the mean error that fixed point causes out of the biases.

Empirical form of Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction",
2019. The paper visits one layer after another, each with all earlier ones corrected: a pass over the batches
a layer. Here one pass visits all of them: when a batch reaches a layer, the layer's bias is set from this
batch and those before it, and only then the batch goes on. So later layers do see corrected earlier ones,
corrected from fewer batches at first. On the demo's tiny model a second pass that starts from the biases of
the first gains nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from runtime.quantization.calibration import set_state
from runtime.quantization.modules.conv import WeightedModule
from runtime.quantization.refinement.layer_replay import (
    FloatWeights,
    Replay,
    products,
    watching,
    weighted_layers,
)
from runtime.quantization.state import State


@dataclass
class _Sums:
    """Of one layer, over all pixels.

    Args:
        targets: a batch an entry, (O,) of the float layer before its activation.
        error: (O,) targets less what fixed point sums up without the bias, of the batches that were compared.
        pixels: in these batches.
        batches: how many they are.
    """

    targets: list[Tensor] = field(default_factory=list)
    error: Tensor | float = 0.0
    pixels: int = 0
    batches: int = 0


@torch.no_grad()
def correct_biases(model: nn.Module, replay: Replay, reference: FloatWeights | None = None) -> list[str]:
    """Set every bias such that the layer's mean before its activation is that of the float model.

    Per output channel b = E[w x + b] in float - E[w x] in fixed point, over all pixels of all batches.

    Args:
        model: calibrated; ends in the state QUANTISE, snapped anew.
        replay: runs `model` on some calibration batches.
        reference: the float weights, where those of `model` have changed since; None: those of `model`.

    Returns:
        a line for the log.

    Raises:
        ValueError: `replay` shows more batches the second time.
    """
    before = {layer: layer.bias.detach().clone() for layer in weighted_layers(model)}
    sums = {layer: _Sums() for layer in before}
    with (reference or FloatWeights(model)).in_place():
        _find_targets(sums, replay)
    set_state(model, State.QUANTISE)
    _correct(sums, replay)
    set_state(model, State.QUANTISE)
    return [_describe(before)]


def _find_targets(sums: Mapping[WeightedModule, _Sums], replay: Replay) -> None:
    def look(layer: WeightedModule, x: Tensor) -> None:
        total, pixels = _sum(products(layer, x))
        sums[layer].targets.append(total + layer.bias.double() * pixels)

    with watching(list(sums), look):
        replay()


def _correct(sums: Mapping[WeightedModule, _Sums], replay: Replay) -> None:
    def look(layer: WeightedModule, x: Tensor) -> None:
        mine = sums[layer]
        if mine.batches == len(mine.targets):
            raise ValueError(f"`{layer.name}` got more batches than the first time")
        total, pixels = _sum(products(layer, x))
        mine.error = mine.error + mine.targets[mine.batches] - total
        mine.pixels += pixels
        mine.batches += 1
        _set_bias(layer, mine.error / mine.pixels)

    with watching(list(sums), look):
        replay()


def _set_bias(layer: WeightedModule, bias: Tensor) -> None:
    """Let the batch under way go on with a new bias, without computing all integers of the layer anew."""
    assert layer.codes is not None
    step = torch.from_numpy(layer.codes.scale * layer.sources[0].value()).to(bias.device)
    layer.hold("bias_codes", torch.floor(bias / step + 0.5))
    layer.bias.copy_(bias)


def _sum(y: Tensor) -> tuple[Tensor, int]:
    """Over all pixels: (O,) float64, and their number."""
    total = y.transpose(0, 1).flatten(1).sum(dim=1, dtype=torch.float64)
    return total, y.numel() // len(total)


def _describe(before: Mapping[WeightedModule, Tensor]) -> str:
    """What changed most, in the unit that says whether it matters."""
    changes = []
    for layer, bias in before.items():
        rounding = layer.rounded_by or layer.quant
        if rounding is not None:
            changes.append(((layer.bias - bias).abs().max().item() / rounding.value(), layer.name))
    largest, name = max(changes, default=(0.0, ""))
    line = f"biases of {len(before)} layers corrected"
    return f"{line}, by up to {largest:.2f} steps of the output (`{name}`)" if name else line
