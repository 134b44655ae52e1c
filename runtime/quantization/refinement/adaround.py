"""Rounds the weights of a calibrated model to what keeps its layers' results, not to the nearest code.

Nagel et al., "Up or Down? Adaptive Rounding for Post-Training Quantization", 2020, asymmetric form: each
layer reads what the layers before it give in fixed point, their rounding learned, and is held against the
float model. Layers of one level, such as the branches of a head, read nothing of each other and share a pass
over the batches.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from runtime.quantization.calibration import set_state
from runtime.quantization.config import AdaRound
from runtime.quantization.graph import QuantizedGraph, graph_of
from runtime.quantization.modules.conv import WeightedModule
from runtime.quantization.refinement.layer_replay import Replay, only_before, watching, weighted_layers
from runtime.quantization.refinement.learned_rounding import RoundingProblem, learn_rounding, nearest
from runtime.quantization.refinement.sampled_patches import PatchSampler
from runtime.quantization.state import State

# Pixels a layer, and at most so many of one batch.
_ROWS, _ROWS_A_BATCH = 4096, 512
_MOST_BATCHES = 16
# Of the pixels, the last ones: they judge what the others taught.
_HELD = 0.25


class _Enough(Exception):
    """Ends a pass early: every layer has its samples."""


@dataclass
class _Samples:
    """Of one layer, a batch an entry.

    Args:
        sampler: chooses the pixels.
        patches: (G, P, N) inputs in fixed point.
        targets: (G, P, O) results in float.
    """

    sampler: PatchSampler
    patches: list[Tensor] = field(default_factory=list)
    targets: list[Tensor] = field(default_factory=list)


@torch.no_grad()
def adaround(model: nn.Module, settings: AdaRound, replay: Replay) -> list[str]:
    """Learn the rounding of all weights, layer by layer; a channel for which nearest is better keeps that.

    The weights become whole multiples of their scales: rounding them to nearest, also after the scales are
    snapped anew, gives the learned codes. What they were before is lost, unless a `FloatWeights` holds it.

    Args:
        model: calibrated, with the weights of the float model; ends in the state QUANTISE.
        settings: of the optimisation.
        replay: runs `model` on some calibration batches; may be cut short by an exception.

    Returns:
        a line a layer for the log.
    """
    samples = {
        layer: _Samples(PatchSampler(layer, seed=number, rows=_ROWS_A_BATCH))
        for number, layer in enumerate(weighted_layers(model))
    }
    set_state(model, State.FLOAT)
    _collect_targets(samples, replay)
    set_state(model, State.QUANTISE)
    lines = []
    graph = graph_of(model)
    for level in _levels(graph, list(samples)):
        with only_before(graph, level):
            _collect_patches(level, samples, replay)
        for layer in level:
            lines.append(_round(layer, samples.pop(layer), settings))
            layer.freeze()
    set_state(model, State.QUANTISE)
    return lines


def _levels(graph: QuantizedGraph, layers: Sequence[WeightedModule]) -> Iterator[list[WeightedModule]]:
    """The layers by how many of them lie before each on the longest way from the inputs."""
    depth: dict[str, int] = {}
    levels: dict[int, list[WeightedModule]] = {}
    for operation in graph.operations:
        before = max((depth[name] for name in operation.inputs), default=0)
        module = graph.modules[operation.name]
        if isinstance(module, WeightedModule) and module in layers:
            levels.setdefault(before, []).append(module)
            before += 1
        depth[operation.name] = before
    for number in sorted(levels):
        yield levels[number]


def _collect_targets(samples: dict[WeightedModule, _Samples], replay: Replay) -> None:
    def look(layer: WeightedModule, x: Tensor) -> int:
        mine = samples[layer]
        sampler = mine.sampler
        patches = sampler.patches(x, len(mine.targets))
        weight, bias = sampler.grouped(layer.layer.weight), sampler.grouped(layer.bias)
        y = torch.baddbmm(bias[:, None], patches, weight.transpose(1, 2))
        mine.targets.append(y.clamp(*_bounds(layer)))
        return y.shape[1]

    _collect(list(samples), look, replay)


def _collect_patches(
    level: Sequence[WeightedModule], samples: dict[WeightedModule, _Samples], replay: Replay
) -> None:
    def look(layer: WeightedModule, x: Tensor) -> int:
        mine = samples[layer]
        mine.patches.append(mine.sampler.patches(x, len(mine.patches)))
        return mine.patches[-1].shape[1]

    _collect(level, look, replay)


def _collect(
    layers: Sequence[WeightedModule], look: Callable[[WeightedModule, Tensor], int], replay: Replay
) -> None:
    """Let `look` take samples, and say how many, until every layer has enough."""
    wanting = dict.fromkeys(layers, (0, 0))

    def count(layer: WeightedModule, x: Tensor) -> None:
        if layer not in wanting:
            return
        rows, batches = wanting[layer]
        rows, batches = rows + look(layer, x), batches + 1
        wanting[layer] = (rows, batches)
        if rows >= _ROWS or batches == _MOST_BATCHES:
            del wanting[layer]
        if not wanting:
            raise _Enough

    with watching(layers, count), contextlib.suppress(_Enough):
        replay()


def _round(layer: WeightedModule, samples: _Samples, settings: AdaRound) -> str:
    """Write the better of both roundings into the weights, channel by channel, and describe it."""
    assert layer.codes is not None
    sampler, weight = samples.sampler, layer.layer.weight
    scale = sampler.grouped(torch.from_numpy(layer.codes.scale).to(weight.device))
    problem = RoundingProblem(
        weight=(sampler.grouped(weight).double() / scale[..., None]).float(),
        scale=scale.float(),
        bias=sampler.grouped(layer.bias),
        patches=torch.cat(samples.patches, dim=1),
        targets=torch.cat(samples.targets, dim=1),
        bounds=_bounds(layer),
    )
    taught = problem.patches.shape[1] - int(problem.patches.shape[1] * _HELD)
    codes = learn_rounding(problem.part(slice(0, taught)), settings)
    judged = problem.part(slice(taught, None))
    usual, learned = judged.errors(nearest(problem.weight)), judged.errors(codes)
    better = learned < usual
    chosen = torch.where(better[..., None], codes * scale[..., None], sampler.grouped(weight).double())
    weight.copy_(sampler.ungrouped(chosen))
    left = torch.where(better, learned, usual).sum() / usual.sum().clamp(min=torch.finfo(usual.dtype).tiny)
    return (
        f"`{layer.name}`: {left:.3f} of the squared error of nearest rounding, "
        f"which {int((~better).sum())} of {better.numel()} channels keep"
    )


def _bounds(layer: WeightedModule) -> tuple[float, float]:
    """What the activation lets through."""
    if layer.act is None:
        return -math.inf, math.inf
    return 0.0, 6.0 if isinstance(layer.act, nn.ReLU6) else math.inf
