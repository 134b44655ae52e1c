"""Reads a model's weights from any file that holds plain tensors: ours, or one of a public model zoo."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from runtime.errors import RunError
from runtime.training.weights_file import load_weights

_NESTS = ("state_dict", "model", "model_state_dict")
_PREFIX = "module."
_HINT = (
    "only files of plain tensors are read: save the weights alone, as `.safetensors` or with "
    "`torch.save(model.state_dict(), ...)`"
)


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Weights by key, from `.safetensors` or from a torch archive (read with `weights_only=True`).

    Weights nested under `state_dict` or `model` are found; the `module.` that data-parallel wrappers put in
    front goes.

    Raises:
        RunError: no such file, damaged, or not a table of tensors.
    """
    if path.suffix == ".safetensors":
        return load_weights(path)[0]
    if not path.is_file():
        raise RunError("no such checkpoint", place=str(path), hint="check the path")
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many types for damaged and for unsafe archives
        # What torch says of an archive with code in it is advice on how to run that code.
        unsafe = isinstance(error, pickle.UnpicklingError)
        reason = (
            "damaged, or it holds more than plain values"
            if unsafe
            else f"{type(error).__name__}: {_first_line(error)}"
        )
        raise RunError(
            f"not a readable table of tensors, {path.stat().st_size} bytes ({reason})",
            place=str(path),
            hint=_HINT,
        ) from error
    return _tensors(content, path)


def _tensors(content: Any, path: Path) -> dict[str, Tensor]:
    for nest in _NESTS:
        if isinstance(content, Mapping) and isinstance(content.get(nest), Mapping):
            content = content[nest]
            break
    if not isinstance(content, Mapping) or not content:
        raise RunError(f"holds a {type(content).__name__}, not weights by key", place=str(path), hint=_HINT)
    strange = [str(key) for key, value in content.items() if not isinstance(value, Tensor)]
    if strange:
        raise RunError(
            f"holds values that are not tensors: {', '.join(strange[:3])}", place=str(path), hint=_HINT
        )
    weights = {str(key): value for key, value in content.items()}
    if all(key.startswith(_PREFIX) for key in weights):
        weights = {key.removeprefix(_PREFIX): value for key, value in weights.items()}
    return weights


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:120]
