"""Evens out the channel ranges between neighbouring layers; the float function stays the same.

Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", 2019: where only
ReLU or nothing lies between two layers, channel c of the tensor between may be divided by any s_c > 0 if
the next layer's weights for c are multiplied by it. With ranges r1_c and r2_c on both sides, s_c =
sqrt(r1_c r2_c) / r2_c makes them equal.

What this is good for depends on what has a scale of its own. Here each output channel of a weight has one,
so the weights that make channel c gain nothing. The tensor between has one scale for all channels, and an
output channel of the weights that read it one for all channels of its input. So with observed ranges, r1_c
is that of the tensor, and r2_c the largest share of a weight for c in the range of its output channel. A
depthwise layer's weights for c have a scale of their own and do not mind: s_c = r1_c gives all channels of
the tensor one range. Without data r1_c is guessed from the weights that make c, and r2_c is the largest
weight that reads it: the paper's own form.

On the demo's tiny model the outputs' mean signal over quantisation noise, 28.4 dB, becomes 30.3 dB without
and 31.5 dB with observed ranges.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn

from runtime.errors import RunError
from runtime.quantization.calibration import state_of
from runtime.quantization.graph import graph_of
from runtime.quantization.modules.conv import WeightedModule
from runtime.quantization.refinement.layer_pairs import LayerPair, layer_pairs
from runtime.quantization.refinement.layer_replay import Replay
from runtime.quantization.state import State

_MOST_ROUNDS = 50
_TOLERANCE = 1e-3
_LARGEST_SPREAD = 100.0


@torch.no_grad()
def equalize(model: nn.Module, replay: Replay | None = None) -> list[str]:
    """Equalise all pairs of layers, again and again until nothing changes.

    Args:
        model: converted, in the state FLOAT; weights and biases change in place.
        replay: runs `model` on some batches, to observe the ranges of tensors; None: no data is needed.

    Returns:
        a line for each chain of layers, for the log.

    Raises:
        RunError: the model is in another state: scales that were found would no longer fit.
    """
    state = state_of(model)
    if state is not State.FLOAT:
        raise RunError(
            f"equalisation in the state `{state.value}`: scales that were found would no longer fit",
            hint="equalise a converted model before its ranges are observed",
        )
    pairs = layer_pairs(graph_of(model))
    observed = {} if replay is None else _observe(pairs, replay)
    before = [_spread(_ranges(pair, observed)) for pair in pairs]
    for _ in range(_MOST_ROUNDS):
        changes = [_even_out(pair, observed) for pair in pairs]
        if max(changes, default=0.0) < _TOLERANCE:
            break
    after = [_spread(_ranges(pair, observed)) for pair in pairs]
    return _lines(pairs, before, after)


def _observe(pairs: Sequence[LayerPair], replay: Replay) -> dict[WeightedModule, Tensor]:
    """(C,) largest magnitude of each channel between the layers of each pair."""
    seen: dict[WeightedModule, Tensor] = {}

    def look(layer: nn.Module, args: Any, y: Tensor) -> None:
        assert isinstance(layer, WeightedModule)
        largest = y.float().abs().transpose(0, 1).flatten(1).amax(1)
        seen[layer] = torch.maximum(seen[layer], largest) if layer in seen else largest

    with ExitStack() as stack:
        for pair in pairs:
            stack.callback(pair.first.register_forward_hook(look).remove)
        replay()
    # A channel that hardly fires in these batches may in others: it is not taken for nothing.
    return {layer: largest.clamp(min=largest.max() / _LARGEST_SPREAD) for layer, largest in seen.items()}


def _ranges(pair: LayerPair, observed: Mapping[WeightedModule, Tensor]) -> Tensor:
    return observed.get(pair.first, pair.making())


def _even_out(pair: LayerPair, observed: dict[WeightedModule, Tensor]) -> float:
    """Equalise one pair; the largest logarithm of a factor."""
    r1 = _ranges(pair, observed)
    if pair.first not in observed:
        s = (r1 / pair.reading()).sqrt()
    elif pair.is_depthwise:
        s = r1.clone()
    else:
        s = (r1 / pair.reading_share()).sqrt()
    used = (s > 0) & s.isfinite()
    if not used.any():
        return 0.0
    # A common factor changes nothing but the range of floats; a channel without use stays as it is.
    s = torch.where(used, s / s[used].log().mean().exp(), 1.0)
    pair.divide(s)
    if pair.first in observed:
        observed[pair.first] /= s
    return s.log().abs().max().item()


def _spread(ranges: Tensor) -> float:
    """Of the channels in use, the largest range over the smallest."""
    used = ranges[ranges > 0]
    return (used.max() / used.min()).item() if len(used) else 1.0


def _lines(pairs: Sequence[LayerPair], before: Sequence[float], after: Sequence[float]) -> list[str]:
    chains: list[list[int]] = []
    for number, pair in enumerate(pairs):
        longer = next((chain for chain in chains if pairs[chain[-1]].second is pair.first), None)
        if longer is None:
            chains.append([number])
        else:
            longer.append(number)
    return [
        _line([pairs[n] for n in chain], max(before[n] for n in chain), max(after[n] for n in chain))
        for chain in chains
    ]


def _line(chain: Sequence[LayerPair], before: float, after: float) -> str:
    names = ", ".join(f"`{layer.name}`" for layer in (*(pair.first for pair in chain), chain[-1].second))
    return f"equalised {names}: channel ranges up to 1:{before:.3g} apart before, 1:{after:.3g} after"
