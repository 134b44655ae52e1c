"""The optimisation of AdaRound: which way each weight of one layer is rounded.

Nagel et al., "Up or Down? Adaptive Rounding for Post-Training Quantization", 2020, equations 21 to 25.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from runtime.quantization.config import AdaRound
from runtime.quantization.snap import WEIGHT_BOUND

# The sigmoid is stretched to (_LOW, _HIGH) and cut to [0, 1], so that both ends are reached.
_LOW, _HIGH = -0.1, 1.1
# The exponent of the regulariser falls from sharp to round; for the first part of the steps it is off.
_BETA_START, _BETA_END = 20.0, 2.0
_FREE = 0.2
# Of a channel's error beside the regulariser; with less, weights end where they began.
_ERROR_WEIGHT = 1 / 30
_BATCH = 256


@dataclass(frozen=True)
class RoundingProblem:
    """One layer as groups of channels that read the same inputs, for samples of its inputs.

    Args:
        weight: (G, O, N) in steps of its scale.
        scale: (G, O) value of one weight code.
        bias: (G, O) real values.
        patches: (G, P, N) real inputs, as fixed point gives them.
        targets: (G, P, O) results of the float layer, after its activation.
        bounds: of the activation.
    """

    weight: Tensor
    scale: Tensor
    bias: Tensor
    patches: Tensor
    targets: Tensor
    bounds: tuple[float, float]

    def part(self, chosen: Tensor | slice) -> RoundingProblem:
        """The same layer with some of the samples."""
        return RoundingProblem(
            self.weight,
            self.scale,
            self.bias,
            self.patches[:, chosen],
            self.targets[:, chosen],
            self.bounds,
        )

    def results(self, codes: Tensor) -> Tensor:
        """What the layer gives (G, P, O) with weights `codes`, whole numbers or not."""
        weight = codes * self.scale[..., None]
        y = torch.baddbmm(self.bias[:, None], self.patches, weight.transpose(1, 2))
        return y.clamp(*self.bounds)

    def errors(self, codes: Tensor) -> Tensor:
        """Mean squared error (G, O) of these results."""
        return (self.results(codes) - self.targets).square().mean(dim=1)


def nearest(weight: Tensor) -> Tensor:
    """Codes of the nearest rounding, of weights in steps of their scale."""
    return torch.floor(weight + 0.5).clamp(-WEIGHT_BOUND, WEIGHT_BOUND)


def learn_rounding(problem: RoundingProblem, settings: AdaRound) -> Tensor:
    """Codes (G, O, N), each the weight rounded down or up.

    Minimises, over V and by Adam, the sum over channels of E(floor(w) + h(V)) / (30 R) and `settings.weight`
    times the sum over weights of 1 - |2 h(V) - 1|^beta. h is the rectified sigmoid, E the mean squared error,
    R the mean square of what nearest rounding changes on these inputs. The paper does not divide: its weight
    depends on the unit of the outputs.
    """
    floor = problem.weight.floor()
    with torch.no_grad():
        caused = problem.results(nearest(problem.weight)) - problem.results(problem.weight)
        unit = caused.square().mean(dim=1) / _ERROR_WEIGHT
        # A channel that is exact, or always cut off by the activation, has nothing to learn.
        unit = torch.where(unit > 0, unit, torch.inf)
    fraction = (problem.weight - floor).clamp(1e-4, 1 - 1e-4)
    logits = torch.logit((fraction - _LOW) / (_HIGH - _LOW)).requires_grad_()
    optimiser = torch.optim.Adam([logits], lr=settings.lr)
    generator = torch.Generator().manual_seed(0)
    samples = problem.patches.shape[1]
    with torch.enable_grad():
        for step in range(settings.num_steps):
            chosen = torch.randint(samples, (min(_BATCH, samples),), generator=generator)
            up = _rectified(logits)
            codes = (floor + up).clamp(-WEIGHT_BOUND, WEIGHT_BOUND)
            loss = (problem.part(chosen.to(logits.device)).errors(codes) / unit).sum()
            progress = (step / settings.num_steps - _FREE) / (1 - _FREE)
            if progress > 0:
                beta = _BETA_END + (_BETA_START - _BETA_END) * (1 + math.cos(math.pi * progress)) / 2
                loss = loss + settings.weight * (1 - (2 * up - 1).abs().pow(beta)).sum()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    up = (_rectified(logits.detach()) >= 0.5).to(floor)
    return (floor + up).clamp(-WEIGHT_BOUND, WEIGHT_BOUND)


def _rectified(logits: Tensor) -> Tensor:
    return (torch.sigmoid(logits) * (_HIGH - _LOW) + _LOW).clamp(0, 1)
