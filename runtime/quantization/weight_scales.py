"""One scale for each output channel of a weight."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from runtime.errors import RunError
from runtime.quantization.observers.observer import SMALLEST_SCALE

HIGH_CODE = 127

_LOWEST_RATIO, _COARSE, _FINE = 0.3, 100, 21
_FITS = 3
_CACHED_WEIGHTS = 2**16


@torch.no_grad()
def weight_scales(weight: Tensor, *, method: Literal["max", "mse"]) -> Tensor:
    """Scales float64 (O,) of a weight (O, ...) for symmetric codes |q| <= 127, one an output channel.

    `max` divides each channel's largest magnitude by 127. `mse` minimises each channel's sum of
    (w - s * clamp(round(w / s), -127, 127))^2: 100 clipping ratios from 0.3 to 1, then 21 between the
    neighbours of the best, then three least-squares fits of s to the codes it gives, none of which can raise
    the error. No scale is below `SMALLEST_SCALE`, which a channel that is all zero gets.

    Raises:
        ValueError: if the method is unknown or the weight has less than two axes.
        RunError: if a weight is not finite.
    """
    if method not in ("max", "mse"):
        raise ValueError(f"unknown method `{method}`, expected max or mse")
    if weight.dim() < 2:
        raise ValueError(f"a weight has an output axis and others, not the shape {tuple(weight.shape)}")
    rows = weight.detach().flatten(1).double()
    if not torch.isfinite(rows).all():
        raise RunError("the weight has values that are not finite")
    largest = (rows.abs().amax(1) / HIGH_CODE).clamp_(min=SMALLEST_SCALE)
    if method == "max":
        return largest
    # The search reads every weight a hundred times: fast for as many channels as a cache holds.
    channels = max(1, _CACHED_WEIGHTS // max(1, rows.shape[1]))
    blocks = zip(rows.split(channels), largest.split(channels), strict=True)
    return torch.cat([_least_squares(*block) for block in blocks]).clamp_(min=SMALLEST_SCALE)


@torch.no_grad()
def neighbour_scales(weight: Tensor, scales: Tensor, *, unit: Tensor, bits: int) -> Tensor:
    """Of the two `unit * m 2^-k` around each scale, m of `bits` bits, the one of less squared error.

    A smaller scale cuts weights off, a larger one leaves codes unused: which is worse depends on the channel.

    Args:
        weight: (O, ...).
        scales: (O,) as from `weight_scales`.
        unit: positive, ().
        bits: significant bits.
    """
    rows = weight.detach().flatten(1).double()
    ratio = scales.double() / unit.double()
    mantissa = torch.frexp(ratio).mantissa
    last = ratio / mantissa * 2.0**-bits * unit.double()
    low, high = torch.floor(mantissa * 2**bits) * last, torch.ceil(mantissa * 2**bits) * last
    return torch.where(_squared_error(rows, low) < _squared_error(rows, high), low, high)


def _least_squares(rows: Tensor, largest: Tensor) -> Tensor:
    """Scales (O,) of least squared error for rows (O, N), searched down from those that clip nothing."""
    ratios = torch.linspace(1.0, _LOWEST_RATIO, _COARSE, dtype=torch.float64, device=rows.device)
    best = _best_of(rows, largest * ratios[:, None])
    reach = largest * (1 - _LOWEST_RATIO) / (_COARSE - 1)
    offsets = torch.linspace(-1.0, 1.0, _FINE, dtype=torch.float64, device=rows.device)
    best = _best_of(rows, best + reach * offsets[:, None])
    for _ in range(_FITS):
        codes = _codes(rows, best)
        power = codes.square().sum(1)
        best = torch.where(power > 0, (codes * rows).sum(1) / power.clamp(min=1), best)
    return best


def _best_of(rows: Tensor, candidates: Tensor) -> Tensor:
    """Of candidate scales (K, O), the one of least squared error for each of the rows (O, N)."""
    errors = torch.stack([_squared_error(rows, scale) for scale in candidates])
    return candidates.gather(0, errors.argmin(0, keepdim=True))[0]


def _squared_error(rows: Tensor, scale: Tensor) -> Tensor:
    return _codes(rows, scale).mul_(scale[:, None]).sub_(rows).square_().sum(1)


def _codes(rows: Tensor, scale: Tensor) -> Tensor:
    return (rows / scale[:, None]).round_().clamp_(-HIGH_CODE, HIGH_CODE)
