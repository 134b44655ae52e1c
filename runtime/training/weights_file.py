"""Checkpoints on disk: weights as `.safetensors` with JSON metadata in the header, trainer state apart as
`.state.pt`.

Both are read without unpickling anything: a file that somebody hands over cannot run code.
"""

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from runtime.atomic_file import write_bytes
from runtime.errors import RunError

_METADATA_KEY = "checkpoint"


def model_fingerprint(weights: Mapping[str, Tensor]) -> str:
    """Digest of keys, shapes and types: equal for two checkpoints of one architecture, whatever their
    values."""
    lines = sorted(f"{key} {tuple(value.shape)} {value.dtype}" for key, value in weights.items())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def save_weights(path: Path, weights: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
    """Write `weights` to `path` (`.safetensors`); the fingerprint is added to `metadata`.

    Raises:
        RunError: the file cannot be written.
    """
    # Tied or viewed tensors share memory, which the format refuses: each gets its own copy on the host.
    own = {key: value.detach().to("cpu", copy=True).contiguous() for key, value in weights.items()}
    header = {**metadata, "fingerprint": model_fingerprint(own)}
    write_bytes(path, safetensors.torch.save(own, metadata={_METADATA_KEY: json.dumps(header)}))


def load_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read (weights, metadata) of a `.safetensors` file; metadata is empty for files of other programs.

    Raises:
        RunError: no such file, or it is damaged.
    """
    metadata = load_metadata(path)
    with safetensors.safe_open(path, framework="pt") as file:
        return {key: file.get_tensor(key) for key in file.keys()}, metadata  # noqa: SIM118 (not a mapping)


def load_metadata(path: Path) -> dict[str, Any]:
    """Read the metadata of a `.safetensors` file without its weights.

    Raises:
        RunError: no such file, or it is damaged.
    """
    if not path.is_file():
        raise RunError("no such checkpoint", place=str(path), hint="check the path, or train one first")
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
        metadata = json.loads(header.get(_METADATA_KEY, "{}"))
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise RunError(
            f"not a readable `.safetensors` file, {path.stat().st_size} bytes ({error})",
            place=str(path),
            hint="copy the file again, or take another checkpoint",
        ) from error
    return metadata if isinstance(metadata, dict) else {}


def save_state(path: Path, state: Mapping[str, Any]) -> None:
    """Write trainer state: nested plain values and tensors.

    Raises:
        RunError: the file cannot be written.
    """
    buffer = io.BytesIO()
    torch.save(dict(state), buffer)
    write_bytes(path, buffer.getvalue())


def load_state(path: Path) -> dict[str, Any]:
    """Read trainer state with `weights_only=True`: plain values and tensors, never code.

    Raises:
        RunError: no such file, or it is damaged, or it holds more than plain values.
    """
    if not path.is_file():
        raise RunError("the trainer state beside this checkpoint is missing", place=str(path))
    try:
        return dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # torch raises many types for damaged archives
        raise RunError(
            f"not a readable trainer state, {path.stat().st_size} bytes ({type(error).__name__})",
            place=str(path),
        ) from error
