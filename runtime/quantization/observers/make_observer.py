"""An observer by the name that a spec gives it."""

from __future__ import annotations

from typing import Literal

from runtime.quantization.observers.kl import KLObserver
from runtime.quantization.observers.min_max import MinMaxObserver
from runtime.quantization.observers.moving_average import MovingAverageObserver
from runtime.quantization.observers.mse import MSEObserver
from runtime.quantization.observers.observer import Observer
from runtime.quantization.observers.percentile import PercentileObserver

ObserverName = Literal["min_max", "moving_average", "percentile", "mse", "kl"]

_OBSERVERS: dict[ObserverName, type[Observer]] = {
    "min_max": MinMaxObserver,
    "moving_average": MovingAverageObserver,
    "percentile": PercentileObserver,
    "mse": MSEObserver,
    "kl": KLObserver,
}


def make_observer(name: ObserverName, *, bits: int) -> Observer:
    """A new observer for codes of 8 or 16 bits, with the method's usual settings.

    Raises:
        ValueError: if the name is unknown or the bits are neither 8 nor 16.
    """
    if name not in _OBSERVERS:
        raise ValueError(f"unknown observer `{name}`, expected one of {', '.join(_OBSERVERS)}")
    return _OBSERVERS[name](bits=bits)
