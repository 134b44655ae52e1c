"""A stage's model as it is judged: with weights of its own, not with those that the stage starts from."""

from collections.abc import Callable, Mapping

from torch import Tensor, nn

from runtime.training.convert import ModelConvertPipeline
from runtime.training.load_checkpoint import load_into


def stage_model(
    build: Callable[[], nn.Module],
    pipeline: ModelConvertPipeline | None,
    weights: Mapping[str, Tensor] | None,
    *,
    place: str,
) -> nn.Module:
    """The model that the pipeline makes of what `build` gives, with `weights`, or for None with initial ones.

    Args:
        build: makes the float model.
        pipeline: of the stage; nothing is loaded by it.
        weights: of a checkpoint of this stage.
        place: the file that they are from, for messages.

    Raises:
        RunError: the weights are those of another model.
    """
    model = build()
    if pipeline is not None:
        model = pipeline.structure(model)
    if weights is not None:
        load_into(model, weights, place=place)
    return model
