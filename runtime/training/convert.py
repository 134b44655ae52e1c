"""Steps between building a model and training it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from torch import nn

from runtime.quantization.fold_bn import fold_batch_norm
from runtime.training.load_checkpoint import LoadCheckpoint
from runtime.training.quantization_converters import Float2Calibration

Converter = Callable[[nn.Module], nn.Module]


class ModelConvertPipeline:
    """Applies converters in order; each takes the model and returns it.

    Args:
        converters: `LoadCheckpoint`, and for stages after float `Float2Calibration` or `Float2QAT`.
        qat_mode: what becomes of normalisation when the model is quantised: `fuse_bn` folds it into the
            convolutions first.
    """

    def __init__(
        self, *, converters: Sequence[Converter], qat_mode: Literal["fuse_bn"] | None = None
    ) -> None:
        self.converters = tuple(converters)
        self.qat_mode = qat_mode

    def __call__(self, model: nn.Module, *, experiment: Path | None = None) -> nn.Module:
        """Return the converted model.

        Args:
            model: is changed in place.
            experiment: directory in whose runs `LoadCheckpoint` finds the weights of earlier stages.
        """
        for converter in self.converters:
            if isinstance(converter, LoadCheckpoint):
                model = converter.load(model, experiment)
            else:
                model = self._converted(model, converter)
        return model

    def structure(self, model: nn.Module) -> nn.Module:
        """The model of the stage without the weights that it starts from: for weights of its own."""
        for converter in self.converters:
            if not isinstance(converter, LoadCheckpoint):
                model = self._converted(model, converter)
        return model

    def stage_checkpoints(self, experiment: Path) -> dict[str, Path]:
        """The files that the weights of earlier stages are loaded from, by stage.

        Raises:
            RunError: such a stage has no finished run.
        """
        return {
            converter.stage: converter.path(experiment)
            for converter in self.converters
            if isinstance(converter, LoadCheckpoint) and converter.stage is not None
        }

    def _converted(self, model: nn.Module, converter: Converter) -> nn.Module:
        if isinstance(converter, Float2Calibration) and self.qat_mode == "fuse_bn":
            model = fold_batch_norm(model)
        return converter(model)
