"""`model.hbir.onnx`: a graph on disk."""

from __future__ import annotations

from pathlib import Path

import onnx
from google.protobuf.message import DecodeError, EncodeError
from onnx import ModelProto

from runtime.atomic_file import write_bytes
from runtime.errors import RunError
from runtime.hbir.graph import Graph
from runtime.hbir.onnx_decode import from_onnx
from runtime.hbir.onnx_encode import content_digest, to_bytes, to_onnx
from runtime.hbir.validate import validate

MAX_BYTES = 2**29
"""Of a file: fifty times a full-size model."""


def write_graph(path: Path, graph: Graph) -> str:
    """Write a graph as ONNX; equal graphs give equal bytes. Returns the digest of the content.

    Raises:
        RunError: the graph is not well formed or too large, or the file cannot be written.
    """
    model = to_onnx(validate(graph))
    onnx.checker.check_model(model, full_check=True)
    try:
        content = to_bytes(model)
    except (ValueError, EncodeError) as error:
        raise RunError(f"the model is too large for one ONNX file ({error})", place=str(path)) from error
    if len(content) > MAX_BYTES:
        raise RunError(f"the model takes {len(content)} bytes, at most {MAX_BYTES}", place=str(path))
    write_bytes(path, content)
    return content_digest(model)


def read_graph(path: Path) -> Graph:
    """The graph of a file that `write_graph` wrote.

    No other file is opened, and memory stays within a few times the size of the file.

    Raises:
        RunError: no such file; it is too large, damaged, foreign, of another version or not well formed.
    """
    if not path.is_file():
        raise RunError("no such file", place=str(path), hint="run the stage `export` first")
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise RunError(f"the file has {size} bytes, at most {MAX_BYTES} are read", place=str(path))
    try:
        model = ModelProto.FromString(path.read_bytes())
    except OSError as error:
        raise RunError(f"cannot be read: {error.strerror}", place=str(path)) from error
    except (DecodeError, ValueError) as error:
        raise RunError(
            f"no readable ONNX file of {size} bytes ({error})",
            place=str(path),
            hint="copy the file again, or run the stage `export`",
        ) from error
    try:
        return from_onnx(model)
    except RunError as error:
        raise RunError(error.message, place=str(path), hint=error.hint) from error
