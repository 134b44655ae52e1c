"""What fixed point costs beside float, on the same model and batch: ratios, measured in turns.

    python benchmarks/quantization_cost.py [EXPERIMENT] [--rounds N] [--threads N] [--batch-size N]

Prints: a QAT step over a float step for each way to find scales (aim: at most 1.6), a calibration batch with
its observers over a float evaluation batch (aim: at most 1.3), a fixed-point evaluation batch over a float
one. A ratio is the median of all rounds; both sides take turns within each: a busy machine is busy for both.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch

from runtime.geometry.camera import ego2img_matrix
from runtime.models.structure import BevStructure
from runtime.quantization.calibration import (
    finish_observing,
    learn_scales,
    set_state,
    start_observing,
)
from runtime.quantization.config import QuantizationConfig, QuantizationRule, ScaleLearning
from runtime.quantization.convert import convert_structure
from runtime.quantization.fold_bn import fold_batch_norm
from runtime.quantization.state import State

VIEWS = 6
CONFIG = QuantizationConfig(rules=[QuantizationRule(match="img", bits=8, scale=1 / 128)])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("experiment", nargs="?", type=Path, default=Path("experiments/bev_ipm_tiny"))
    parser.add_argument("--image-size", nargs=2, type=int, default=(96, 256), metavar=("H", "W"))
    parser.add_argument("--batch-size", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    sys.path.insert(0, str(arguments.experiment.resolve()))
    from model import build_model  # type: ignore[import-not-found]

    size = (arguments.image_size[0], arguments.image_size[1])
    batch = random_batch(build_model(), size, arguments.batch_size)
    float_model, observed = build_model().eval(), _converted(build_model(), size)
    start_observing(observed)
    _evaluation(observed, batch)()
    finish_observing(observed)
    fixed = _copy(build_model, size, observed)
    set_state(fixed, State.QUANTISE)
    start_observing(observed)

    print(
        f"{arguments.experiment.name}, {size[0]} x {size[1]}, batch {arguments.batch_size}, "
        f"{arguments.threads} thread(s)"
    )
    pairs = {}
    for scales in get_args(ScaleLearning):
        learning = _copy(build_model, size, observed)
        learn_scales(learning, scales)
        pairs[f"QAT step ({scales}) / float step"] = (_step(build_model(), batch), _step(learning, batch))
    pairs |= {
        "calibration batch / float evaluation batch": (
            _evaluation(float_model, batch),
            _evaluation(observed, batch),
        ),
        "fixed-point evaluation batch / float": (_evaluation(float_model, batch), _evaluation(fixed, batch)),
    }
    for name, (first, second) in pairs.items():
        base, other = _in_turns(first, second, arguments.rounds)
        ratio = statistics.median(b / a for a, b in zip(base, other, strict=True))
        print(
            f"{name}: {ratio:.2f}  ({statistics.median(other) * 1e3:.0f} ms over "
            f"{statistics.median(base) * 1e3:.0f} ms)"
        )


def random_batch(model: BevStructure, size: tuple[int, int], samples: int) -> dict[str, Any]:
    """Noise seen by a ring of cameras 1.5 m above the ground, with boxes and labels."""
    boxes = torch.rand(samples, 20, 9)
    boxes[..., :2] = boxes[..., :2] * 40 - 20
    boxes[..., 3:6] = boxes[..., 3:6] * 3 + 1
    segmentation: Any = model.bev_decoders["bev_seg"]
    return {
        "img": torch.randn(samples * VIEWS, 3, *size).clamp_(-1, 1),
        "ego2img": ring_of_cameras(*size).expand(samples, -1, -1, -1),
        "gt_boxes": list(boxes),
        "gt_labels": [torch.randint(0, 10, (20,)) for _ in range(samples)],
        "gt_seg": torch.randint(0, 4, (samples, *segmentation.task_grid.shape)),
        "token": ["noise"] * samples,
    }


def ring_of_cameras(height: int, width: int) -> torch.Tensor:
    """`ego2img` (6, 4, 4) float64."""
    matrices = []
    for degrees in range(0, 360, 60):
        yaw = np.deg2rad(degrees)
        turn = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
        cam2ego = np.eye(4)
        cam2ego[:3, :3] = turn @ np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])
        cam2ego[:3, 3] = [0, 0, 1.5]
        focal = 0.8 * width
        intrinsic = [[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]]
        matrices.append(ego2img_matrix(intrinsic, cam2ego, np.eye(4), np.eye(4)))
    return torch.from_numpy(np.stack(matrices))


def _converted(model: BevStructure, size: tuple[int, int]) -> BevStructure:
    fold_batch_norm(model)
    return convert_structure(model, CONFIG, image_size=size, num_views=VIEWS).eval()


def _copy(build: Callable[[], BevStructure], size: tuple[int, int], source: BevStructure) -> BevStructure:
    model = _converted(build(), size)
    model.load_state_dict(source.state_dict())
    return model


def _step(model: BevStructure, batch: dict[str, Any]) -> Callable[[], None]:
    model.train()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-5, fused=True)

    def step() -> None:
        optimizer.zero_grad()
        torch.stack(list(model(batch).values())).sum().backward()
        optimizer.step()

    return step


def _evaluation(model: BevStructure, batch: dict[str, Any]) -> Callable[[], None]:
    def evaluate() -> None:
        with torch.no_grad():
            model.raw_outputs(*model.deployed_inputs(batch))

    return evaluate


def _in_turns(
    first: Callable[[], None], second: Callable[[], None], rounds: int
) -> tuple[list[float], list[float]]:
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 2):
        for call, kept in zip((first, second), times, strict=True):
            start = time.perf_counter()
            call()
            if number >= 2:  # the first rounds fill caches and allocators
                kept.append(time.perf_counter() - start)
    return times


if __name__ == "__main__":
    main()
