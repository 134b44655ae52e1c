"""The float model of an experiment as one program of `torch.export`, for one sample; nothing is computed."""

from __future__ import annotations

import copy

import torch
from torch.export import ExportedProgram, export

from runtime.models.structure import BevStructure, DeployedModel


def float_program(model: BevStructure, *, image_size: tuple[int, int], num_views: int) -> ExportedProgram:
    """The deployed network of a float model: images and sampling points to raw outputs.

    Args:
        model: stays as it is.
        image_size: (height, width) in pixels.
        num_views: cameras of a sample.
    """
    shadow = copy.deepcopy(model).to("meta").eval()
    img = torch.empty(num_views, 3, *image_size, device="meta")
    points = torch.empty(num_views, *shadow.view_transformer.grid.shape, 2, device="meta")
    with torch.no_grad():
        return export(DeployedModel(shadow).eval(), (img, points), strict=False)
