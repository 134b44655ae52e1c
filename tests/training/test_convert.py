"""The pipeline between building a model and training it: order, structure alone, where weights come from."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from bev_parts import bev_model, to_calibration
from torch import nn
from toy_parts import ToyModel

from runtime.errors import RunError
from runtime.models.blocks import ConvBNAct
from runtime.quantization.calibration import state_of
from runtime.quantization.graph import find_graph
from runtime.quantization.state import State
from runtime.training.convert import ModelConvertPipeline
from runtime.training.load_checkpoint import LoadCheckpoint
from runtime.training.quantization_converters import Float2QAT
from runtime.training.run_directory import create_run
from runtime.training.weights_file import save_weights


def trained_run(experiment: Path, stage: str, value: float) -> Path:
    """A finished run whose weights are all `value`."""
    run = create_run(experiment, stage)
    run.update(status="finished")
    best = run.checkpoints / "best.safetensors"
    best.parent.mkdir()
    weights = ToyModel().state_dict()
    save_weights(best, {key: torch.full_like(tensor, value) for key, tensor in weights.items()}, {})
    return best


def scaled(factor: float) -> Callable[[nn.Module], nn.Module]:
    """A converter that multiplies one weight."""

    def convert(model: nn.Module) -> nn.Module:
        assert isinstance(model, ToyModel)
        with torch.no_grad():
            model.head.bias.mul_(factor)
        return model

    return convert


def test_converters_run_in_order(experiment: Path) -> None:
    trained_run(experiment, "float", 3.0)
    load = LoadCheckpoint(stage="float")
    after = ModelConvertPipeline(converters=[load, scaled(2.0), scaled(5.0)])
    before = ModelConvertPipeline(converters=[scaled(2.0), load])
    assert after(ToyModel(), experiment=experiment).head.bias.item() == 30.0
    assert before(ToyModel(), experiment=experiment).head.bias.item() == 3.0


def test_a_converter_may_return_another_model() -> None:
    other = nn.Linear(1, 1)
    pipeline = ModelConvertPipeline(converters=[lambda model: other])
    assert pipeline(ToyModel()) is other and pipeline.structure(ToyModel()) is other


def test_the_structure_needs_no_weights_of_earlier_stages(experiment: Path) -> None:
    missing = [LoadCheckpoint(checkpoint_path="none.safetensors"), LoadCheckpoint(stage="float")]
    pipeline = ModelConvertPipeline(converters=[missing[0], scaled(2.0), missing[1]])
    model = ToyModel()
    bias = model.head.bias.item()
    assert pipeline.structure(model).head.bias.item() == 2 * bias


def test_stage_checkpoints_are_those_of_stages_alone(experiment: Path) -> None:
    trained_run(experiment, "float", 1.0)
    newest = trained_run(experiment, "float", 2.0)
    calibrated = trained_run(experiment, "calibration", 3.0)
    converters = [
        LoadCheckpoint(checkpoint_path="pretrained.safetensors"),
        scaled(1.0),
        LoadCheckpoint(stage="float"),
        LoadCheckpoint(stage="calibration"),
    ]
    pipeline = ModelConvertPipeline(converters=converters)
    assert pipeline.stage_checkpoints(experiment) == {"float": newest, "calibration": calibrated}
    assert ModelConvertPipeline(converters=converters[:2]).stage_checkpoints(experiment) == {}


def test_a_stage_without_weights_is_named(experiment: Path) -> None:
    pipeline = ModelConvertPipeline(converters=[LoadCheckpoint(stage="float")])
    with pytest.raises(RunError, match="stage `float` has not been trained") as caught:
        pipeline.stage_checkpoints(experiment)
    assert caught.value.hint == f"train it with `specgen run {experiment} --stage float`"


def test_normalisation_is_folded_right_before_the_model_is_quantised() -> None:
    seen: list[int] = []

    def count(model: nn.Module) -> nn.Module:
        seen.append(sum(isinstance(part, ConvBNAct) and part.bn is not None for part in model.modules()))
        return model

    model = ModelConvertPipeline(converters=[count, to_calibration(), count], qat_mode="fuse_bn")(bev_model())
    assert seen[0] > 50 and seen[1] == 0
    assert not any(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in model.modules())
    assert find_graph(model) is not None and state_of(model) is State.FLOAT


def test_a_float_pipeline_folds_nothing() -> None:
    model = bev_model()
    names = list(model.state_dict())
    ModelConvertPipeline(converters=[], qat_mode="fuse_bn")(model)
    assert list(model.state_dict()) == names


def test_only_a_bev_model_is_quantised() -> None:
    for converter in (to_calibration(), Float2QAT(**vars(to_calibration()))):
        with pytest.raises(RunError, match="a ToyModel cannot be quantised, only a `BevStructure`"):
            ModelConvertPipeline(converters=[converter], qat_mode="fuse_bn")(ToyModel())
