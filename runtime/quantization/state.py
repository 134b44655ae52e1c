"""What the quantised modules of a model are doing."""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """One for all modules of a model at a time."""

    FLOAT = "float"
    """Nothing is quantised: the float model with normalisation folded."""

    OBSERVE = "observe"
    """As FLOAT; observers look at every tensor."""

    SIMULATE = "simulate"
    """Real numbers, rounded to what codes can hold: for analysis, one tensor at a time."""

    QUANTISE_AND_OBSERVE = "quantise and observe"
    """As SIMULATE, with gradients straight through and scales that follow or learn: QAT."""

    QUANTISE = "quantise"
    """Integers between modules, the arithmetic of the chip."""
