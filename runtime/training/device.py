"""Which device a run uses, in the words of the spec and in Lightning's."""

from typing import Any

import torch

from runtime.errors import RunError

_KINDS = ("cpu", "cuda")


def resolve_device(device: str | None) -> str:
    """`device` itself, or for None the GPU when there is one.

    Raises:
        RunError: the device does not exist here, or is none that stages run on.
    """
    if device is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    kind, colon, index = device.partition(":")
    if kind not in _KINDS or (colon and not (index.isascii() and index.isdigit())):
        raise RunError(
            f"`{device}` is not a device that a stage can run on",
            hint="use `cpu`, `cuda` or `cuda:1`",
        )
    if kind == "cuda" and int(index or 0) >= torch.cuda.device_count():
        raise RunError(
            f"device `{device}` is not here, torch {torch.__version__} sees {torch.cuda.device_count()} GPUs",
            hint="use `--device cpu`, or install a CUDA build of torch",
        )
    return device


def lightning_device_arguments(device: str, num_devices: int) -> dict[str, Any]:
    """`accelerator`, `devices` and `strategy` of `lightning.Trainer`; data parallel only for several
    devices.

    Branches of the model that no head reads, such as the BiFPN nodes of unused strides, get no gradient:
    plain `ddp` would wait for it and fail at the second step.
    """
    kind, _, index = device.partition(":")
    devices: Any = [int(index)] if index else num_devices
    return {
        "accelerator": {"cuda": "gpu"}.get(kind, kind),
        "devices": devices,
        "strategy": "ddp_find_unused_parameters_true" if num_devices > 1 else "auto",
    }


def describe_device(device: str) -> str:
    """The device by its name, for the record of a run."""
    if device.startswith("cuda"):
        return f"{device} ({torch.cuda.get_device_name(torch.device(device))})"
    return f"{device} ({torch.get_num_threads()} threads)"
