"""Converters that make a float model a quantised one, before calibration and before QAT."""

from collections.abc import Sequence
from typing import Literal

from torch import nn

from runtime.errors import RunError
from runtime.models.structure import BevStructure
from runtime.quantization.calibration import learn_scales
from runtime.quantization.config import QuantizationConfig, ScaleLearning
from runtime.quantization.convert import convert_structure
from runtime.quantization.graph import graph_of
from runtime.quantization.rules import describe_matches
from runtime.training.report import say


class Float2Calibration:
    """Puts quantised modules in the place of a float model's blocks; `Calibrator` then finds their scales.

    Args:
        convert_mode: how the places are found: by the model's own modules.
        quantization: bits, observers, rules.
        image_size: (height, width) in pixels of the images that the network sees.
        num_views: cameras of a sample.
    """

    def __init__(
        self,
        *,
        convert_mode: Literal["eager"] = "eager",
        quantization: QuantizationConfig,
        image_size: Sequence[int],
        num_views: int,
    ) -> None:
        self.convert_mode = convert_mode
        self.quantization = quantization
        self.image_size = (int(image_size[0]), int(image_size[1]))
        self.num_views = num_views

    def __call__(self, model: nn.Module) -> nn.Module:
        """Convert `model` in place and return it.

        Raises:
            RunError: what it computes has no fixed-point form, or a rule does not fit.
        """
        if not isinstance(model, BevStructure):
            raise RunError(f"a {type(model).__name__} cannot be quantised, only a `BevStructure`")
        convert_structure(model, self.quantization, image_size=self.image_size, num_views=self.num_views)
        for line in describe_matches(graph_of(model).matches):
            say(line)
        return model


class Float2QAT(Float2Calibration):
    """As `Float2Calibration`, ready to learn: the checkpoint of the calibration is loaded after it.

    Args:
        convert_mode: see `Float2Calibration`.
        quantization: see `Float2Calibration`.
        image_size: see `Float2Calibration`.
        num_views: see `Float2Calibration`.
        scales: learned with the weights, following the batches, or kept as calibrated.
    """

    def __init__(
        self,
        *,
        convert_mode: Literal["eager"] = "eager",
        quantization: QuantizationConfig,
        image_size: Sequence[int],
        num_views: int,
        scales: ScaleLearning = "lsq",
    ) -> None:
        super().__init__(
            convert_mode=convert_mode, quantization=quantization, image_size=image_size, num_views=num_views
        )
        self.scales = scales

    def __call__(self, model: nn.Module) -> nn.Module:
        """See `Float2Calibration`."""
        model = super().__call__(model)
        learn_scales(model, self.scales)
        return model
