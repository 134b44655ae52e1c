"""The stages in their order, and what `specgen` has to know of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

WEIGHTS = "checkpoints/best.safetensors"


@dataclass(frozen=True, slots=True)
class StageFacts:
    """What is true of a stage in every experiment.

    Attributes:
        makes: the file of its run that later stages work on.
        takes: the stage whose file it works on as it is; those that load weights say in the spec of which.
        in_steps: whether it takes steps over samples, which can be counted and gone on with.
        evaluates: whether it runs a model on samples, on a device.
        judges: whether it holds the network against the chip, and can be strict about it.
    """

    makes: str | None = None
    takes: str | None = None
    in_steps: bool = False
    evaluates: bool = False
    judges: bool = False


STAGES: Mapping[str, StageFacts] = MappingProxyType(
    {
        "float": StageFacts(makes=WEIGHTS, in_steps=True, evaluates=True),
        "calibration": StageFacts(makes=WEIGHTS, in_steps=True, evaluates=True),
        "qat": StageFacts(makes=WEIGHTS, in_steps=True, evaluates=True),
        "export": StageFacts(makes="model.hbir.onnx"),
        "int_infer": StageFacts(takes="export", evaluates=True),
        "check": StageFacts(judges=True),
        "compile": StageFacts(makes="model.hbm", takes="export"),
        "align_bpu": StageFacts(takes="compile", evaluates=True),
    }
)
"""In the order in which they run."""
