"""The bytes of an HBM file changed by hand, and what the reader says of them."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runtime.bpu.march_data import March
from runtime.bpu.program.archive import archive, parts_of
from runtime.bpu.program.hbm_file import read_hbm
from runtime.errors import RunError

Parts = dict[str, bytes]


def refused(tmp_path: Path, content: bytes, march: March | None = None) -> str:
    path = tmp_path / "bad.hbm"
    path.write_bytes(content)
    with pytest.raises(RunError) as caught:
        read_hbm(path, march)
    assert caught.value.place == str(path)
    assert len(caught.value.message) < 500
    return caught.value.message


def zipped(entries: list[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, part in entries:
            file.writestr(name, part)
    return buffer.getvalue()


def changed(content: bytes, name: str, change: Callable[[Any], object]) -> bytes:
    """A file whose JSON part was changed by somebody who knows how to make a digest."""
    parts = parts_of(content)
    document = json.loads(parts[name])
    replaced = change(document)
    parts[name] = json.dumps(
        document if replaced is None else replaced, sort_keys=True, separators=(",", ":")
    ).encode()
    return sealed(parts)


def sealed(parts: Parts) -> bytes:
    manifest = json.loads(parts["manifest.json"])
    manifest["digests"] = {
        name: hashlib.sha256(parts[name]).hexdigest() for name in ("constants.npz", "program.json")
    }
    text = json.dumps(manifest, indent=2, sort_keys=True) + "\n"
    return archive({**parts, "manifest.json": text.encode()})
