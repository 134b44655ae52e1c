"""What inference leaves in a folder: a picture, index maps and `result.json`."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PilImage

from runtime.atomic_file import write_bytes, write_json
from runtime.deployment.infer.prediction import Detections, MapLabels, Prediction
from runtime.deployment.infer.result_file import PICTURE_FILE, RESULT_FILE, map_file
from runtime.visualization.palette import MAP_COLORS
from runtime.visualization.sample_picture import save_sample
from runtime.visualization.scene import Boxes, Scene


def write_outputs(
    folder: Path, prediction: Prediction, document: dict[str, Any], *, score: float
) -> list[Path]:
    """Write the files of one prediction, `result.json` last; other files of the folder stay.

    Args:
        folder: made when it is missing.
        prediction: what to show.
        document: content of `result.json`.
        score: boxes below it are left out of the picture.

    Returns:
        the files.

    Raises:
        RunError: a file cannot be written.
    """
    picture = folder / PICTURE_FILE
    save_sample(picture, scene_of(prediction), score_threshold=score)
    written = [picture]
    for name, result in prediction.results.items():
        if isinstance(result, MapLabels):
            written.append(folder / map_file(name))
            write_bytes(written[-1], index_png(result.labels))
    write_json(folder / RESULT_FILE, document)
    return [*written, folder / RESULT_FILE]


def scene_of(prediction: Prediction) -> Scene:
    """The frame as stored with all predicted boxes and the first predicted map, without truth."""
    found = [result for result in prediction.results.values() if isinstance(result, Detections)]
    maps = [result for result in prediction.results.values() if isinstance(result, MapLabels)]
    boxes = Boxes(scores=np.zeros(0))
    if found:
        boxes = Boxes(
            np.concatenate([result.boxes for result in found]).astype(np.float64),
            np.concatenate([result.labels for result in found]),
            np.concatenate([result.scores for result in found]).astype(np.float64),
        )
    return Scene(
        token=prediction.frame.name,
        images=prediction.frame.views().images,
        ego2img=prediction.frame.ego2img,
        truth=None,
        predicted=boxes,
        truth_map=None,
        predicted_map=maps[0].labels if maps else None,
        bev_size=prediction.bev_size,
        map_size=maps[0].size if maps else prediction.bev_size,
    )


def index_png(labels: NDArray[np.int64]) -> bytes:
    """Map labels (h, w), rows y from right, columns x from back, as a PNG with the front above.

    Pixels are indices of classes; a palette shows them in the colours of the picture.
    """
    picture = np.ascontiguousarray(labels.T[::-1, ::-1]).astype(np.uint8)
    image = PilImage.frombytes("P", (picture.shape[1], picture.shape[0]), picture.tobytes())
    image.putpalette([channel for color in MAP_COLORS for channel in color])
    stream = io.BytesIO()
    image.save(stream, format="PNG")
    return stream.getvalue()
