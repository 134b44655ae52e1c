"""A compiled network in the place of the float model: images as a board gets them, results as the host makes
them."""

from __future__ import annotations

from typing import Any

from torch import nn

from runtime.deployment.alignment import Alignment
from runtime.deployment.camera_input import InputSource, camera_codes
from runtime.hbir.codes import decode, encode
from runtime.models.structure import Batch, BevStructure


class BpuModel(nn.Module):
    """The host's part around a program: sampling points before it, decoders after it.

    Args:
        structure: the float model that the spec describes; its points and decoders are used, no weight.
        alignment: runs the program, and compares it with what was exported.
        input_source: how images come.
    """

    def __init__(self, structure: BevStructure, alignment: Alignment, input_source: InputSource) -> None:
        super().__init__()
        self.structure = structure
        self.alignment = alignment
        self.input_source = input_source

    def forward(self, batch: Batch) -> dict[str, Any]:
        """Results of each decoder by its name, as `BevStructure` gives them in evaluation.

        Raises:
            RunError: see `camera_codes` and `Alignment.run`.
        """
        graph = self.alignment.graph
        img, points = self.structure.deployed_inputs(batch)
        codes = encode(graph, {"img": img, "points": points})
        camera = {**codes, "img": camera_codes(graph, img, codes["img"], self.input_source)}
        raw = decode(graph, self.alignment.run(codes, camera))
        return self.structure.decode({name: value.to(img.device) for name, value in raw.items()})
