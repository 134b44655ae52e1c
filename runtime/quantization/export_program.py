"""The evaluation model in fixed point as one program of `torch.export`, for any number of samples."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram, export

from runtime.errors import RunError
from runtime.models.structure import BevStructure, DeployedModel
from runtime.quantization.calibration import state_of
from runtime.quantization.graph import graph_of, listed
from runtime.quantization.modules.base import QuantizedModule
from runtime.quantization.state import State

PREFIX = "model."
"""Of the names of a structure's modules in the program of `export_structure`."""


def export_structure(model: BevStructure, *, image_size: tuple[int, int], num_views: int) -> ExportedProgram:
    """The deployed network: images and sampling points to raw outputs.

    Args:
        model: in evaluation mode and in the state QUANTISE.
        image_size: (height, width) in pixels.
        num_views: cameras of a sample.

    Raises:
        RunError: see `export_program`.
    """
    # Two samples: a size of one would be taken for a constant.
    device = next(model.parameters()).device
    img = torch.zeros(2 * num_views, 3, *image_size, device=device)
    points = torch.zeros(2 * num_views, *model.view_transformer.grid.shape, 2, device=device)
    return export_program(model, DeployedModel(model).eval(), {"img": img, "points": points})


def export_program(model: nn.Module, deployed: nn.Module, inputs: Mapping[str, Tensor]) -> ExportedProgram:
    """The program of a converted model, whose operators are those of `registered_ops`.

    Args:
        model: the converted one.
        deployed: called with the inputs by name; `model` or what wraps it.
        inputs: real numbers for two samples.

    Raises:
        RunError: another state than QUANTISE, training mode, or tensors that are kept in float.
    """
    state = state_of(model)
    if state is not State.QUANTISE or deployed.training:
        mode = "training" if deployed.training else "evaluation"
        raise RunError(
            f"a model in {mode} mode and the state `{state.value}` cannot be exported",
            hint="calibrate it, then export it in evaluation mode and the state `quantise`",
        )
    floats = [module.name for module in graph_of(model).ordered_modules() if module.keep_float]
    if floats:
        raise RunError(
            f"{listed(floats)} are kept in float: the exported model is fixed point throughout",
            hint="take the rules with `keep_float` out of the spec",
        )
    samples = Dim("samples")
    sizes = {name: {0: _multiple(samples, len(tensor) // 2)} for name, tensor in inputs.items()}
    with torch.no_grad():
        return export(deployed, (), dict(inputs), dynamic_shapes=sizes, strict=False)


def _multiple(samples: Dim, count: int) -> Dim:
    return samples if count == 1 else count * samples


def module_aliases(deployed: nn.Module) -> dict[str, str]:
    """The names of parts of quantised modules, each with the name of its quantised module."""
    quantised = {name for name, module in deployed.named_modules() if isinstance(module, QuantizedModule)}
    return {
        name: owner
        for owner in quantised
        for name, _ in deployed.get_submodule(owner).named_modules(prefix=owner)
        if name != owner
    }
