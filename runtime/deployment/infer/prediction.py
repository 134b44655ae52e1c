"""What the fixed-point model says of one frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from runtime.data.dataset import ImageTransform
from runtime.deployment.hbir_model import Executor, HbirModel
from runtime.deployment.infer.frame import Frame, batch_of
from runtime.deployment.infer.model_fit import check_fits
from runtime.errors import RunError
from runtime.geometry.bev_grid import BevGrid
from runtime.geometry.camera import CAMERA_NAMES
from runtime.models.structure import BevStructure
from runtime.training.output_digest import OutputDigest
from runtime.training.report import say

Size = tuple[float, float, float]


@dataclass(frozen=True)
class Detections:
    """Boxes of one decoder, best first.

    Args:
        boxes: (N, 9) float32 in the ego frame, as in `runtime.geometry.boxes`.
        scores: (N,) float32.
        labels: (N,) indices into `DETECTION_CLASSES`.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    labels: NDArray[np.int64]


@dataclass(frozen=True)
class MapLabels:
    """The map of one decoder.

    Args:
        labels: (h, w), rows y from right, columns x from back.
        size: (half_y, half_x, metres_per_cell).
    """

    labels: NDArray[np.int64]
    size: Size


@dataclass(frozen=True)
class Prediction:
    """The results of one frame.

    Args:
        frame: the sample.
        network_size: (height, width) of the images that the network sees.
        results: by decoder, in its order.
        bev_size: (half_y, half_x, metres_per_cell) of the area that the cameras are mapped to.
        output_digest: of the raw outputs, as the evaluation of this one sample has it.
    """

    frame: Frame
    network_size: tuple[int, int]
    results: dict[str, Detections | MapLabels]
    bev_size: Size
    output_digest: str


def predict_frame(
    frame: Frame,
    transforms: Sequence[ImageTransform],
    structure: BevStructure,
    executor: Executor,
    *,
    place: str,
) -> Prediction:
    """Run the model on a frame, in the steps of evaluation.

    Args:
        frame: the sample.
        transforms: of the validation dataset.
        structure: the model that the spec describes; its points and decoders are used.
        executor: of the model's graph.
        place: file of the graph, for messages.

    Raises:
        RunError: an image does not decode, no camera sees the ground, or the graph is of another model.
    """
    structure.eval()
    model = HbirModel(structure, executor).eval()
    with torch.inference_mode():
        batch = batch_of(frame, transforms)
        img, points = model.deployed_inputs(batch)
        check_fits(executor.graph, structure, {"img": img, "points": points}, place)
        height, width = img.shape[-2:]
        _check_seen(structure, points, (height, width), frame)
        raw = model.raw_outputs(img, points)
        found = model.decode(raw)
    digest = OutputDigest()
    digest.update(raw)
    return Prediction(
        frame=frame,
        network_size=(height, width),
        results={name: _result(structure, name, result) for name, result in found.items()},
        bev_size=_size(structure.view_transformer.grid),
        output_digest=digest.hexdigest(),
    )


def _check_seen(structure: BevStructure, points: Tensor, size: tuple[int, int], frame: Frame) -> None:
    """A camera that sees not a single cell of the ground has, most likely, a wrong pose."""
    height, width = structure.view_transformer.feature_shape(size)
    column, row = points[..., 0], points[..., 1]
    inside = (column > -1) & (column < width) & (row > -1) & (row < height)
    seeing = inside.flatten(1).any(dim=1).tolist()
    hint = "check the poses: metres, quaternions w, x, y, z, from the camera to the ego frame"
    if not any(seeing):
        raise RunError("no camera sees the ground around the car", place=frame.place, hint=hint)
    blind = [name for name, sees in zip(CAMERA_NAMES, seeing, strict=True) if not sees]
    if blind:
        say(f"warning: {frame.place}: the ground is not seen by {', '.join(blind)}; {hint}")


def _result(structure: BevStructure, name: str, result: Any) -> Detections | MapLabels:
    """Which decoder does what shows in its results: detections are dicts, a map is one tensor of labels."""
    if not isinstance(result, Tensor):
        (found,) = result
        return Detections(*(found[key].cpu().numpy() for key in ("boxes", "scores", "labels")))
    labels = result[0].cpu().numpy()
    grid = getattr(structure.bev_decoders[name], "task_grid", None)
    if not isinstance(grid, BevGrid):
        raise RunError(
            f"the decoder `{name}` gives a map of which nothing says where it lies",
            hint="it needs a `task_grid`, as `BevSegDecoder` has",
        )
    half_y, half_x, _ = _size(grid)
    return MapLabels(labels, (half_y, half_x, 2 * half_y / labels.shape[0]))


def _size(grid: BevGrid) -> Size:
    return float(grid.half_y), float(grid.half_x), float(grid.resolution)
