"""Steps between building a model and training it."""

from collections.abc import Callable, Sequence
from typing import Literal

from torch import nn


class ModelConvertPipeline:
    """Applies converters in order; each takes the model and returns it.

    Args:
        converters: for the float stage `LoadCheckpoint`.
        qat_mode: how normalisation is treated when the model is prepared for quantisation; unused by the
            float stage.
    """

    def __init__(
        self,
        *,
        converters: Sequence[Callable[[nn.Module], nn.Module]],
        qat_mode: Literal["fuse_bn"] | None = None,
    ) -> None:
        self.converters = tuple(converters)
        self.qat_mode = qat_mode

    def __call__(self, model: nn.Module) -> nn.Module:
        """Return the converted model."""
        for converter in self.converters:
            model = converter(model)
        return model
