"""How a tensor's scale is chosen: what is remembered of its values, and the threshold made of it."""

from runtime.quantization.observers.fixed import FixedObserver
from runtime.quantization.observers.make_observer import ObserverName, make_observer
from runtime.quantization.observers.observer import SMALLEST_SCALE, Observer

__all__ = ["SMALLEST_SCALE", "FixedObserver", "Observer", "ObserverName", "make_observer"]
