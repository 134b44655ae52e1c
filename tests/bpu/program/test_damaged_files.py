"""Bytes that are no HBM file are refused: cut off, damaged, added to, other zip files."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from hbm_bytes import refused, zipped

from runtime.bpu.program.archive import parts_of


def test_truncated_anywhere(tmp_path: Path, content: bytes) -> None:
    for length in np.linspace(0, len(content) - 1, 80, dtype=int):
        refused(tmp_path, content[:length])


def test_any_damaged_byte(tmp_path: Path, content: bytes) -> None:
    rng = np.random.default_rng(0)
    # Headers and directory are few bytes of many: all of the last ones, and some of all.
    for position in (*rng.integers(0, len(content), 300), *range(len(content) - 250, len(content))):
        damaged = bytearray(content)
        damaged[position] ^= 1 << rng.integers(8)
        refused(tmp_path, bytes(damaged))


@pytest.mark.parametrize("extra", [b"\x00", b"PK\x05\x06" + bytes(18), b"x" * 1000])
def test_something_appended(tmp_path: Path, content: bytes, extra: bytes) -> None:
    refused(tmp_path, content + extra)
    refused(tmp_path, extra + content)


@pytest.mark.parametrize("foreign", [b"", bytes(1000), b"PK\x03\x04 a zip", b"PK\x05\x06" + bytes(18), b"{}"])
def test_something_else(tmp_path: Path, foreign: bytes) -> None:
    assert "no readable HBM file" in refused(tmp_path, foreign)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_other_zip_files(tmp_path: Path, content: bytes) -> None:
    parts = list(parts_of(content).items())
    assert "has no manifest" in refused(tmp_path, zipped([("model.json", b"{}")]))
    assert "has no manifest" in refused(tmp_path, zipped([("../manifest.json", b"{}")]))
    assert "not that of an HBM file" in refused(tmp_path, zipped([("manifest.json", b"{}")]))
    assert "not that of an HBM file" in refused(tmp_path, zipped([("manifest.json", b"[]")]))
    assert "two parts of one name" in refused(tmp_path, zipped([*parts, parts[0]]))
    assert "compressed" in refused(tmp_path, zipped(parts, zipfile.ZIP_DEFLATED))
    assert "has the parts" in refused(tmp_path, zipped([*parts, ("../../etc/passwd", b"")]))
    assert "has the parts" in refused(tmp_path, zipped(parts[::-1]))
    assert "has the parts" in refused(tmp_path, zipped(parts[:2]))
    assert "a directory of 17 parts" in refused(tmp_path, zipped([(str(n), b"") for n in range(17)]))
    assert "its digests say" in refused(tmp_path, zipped(parts))  # another date


def test_a_bomb(tmp_path: Path) -> None:
    bomb = zipped([("manifest.json", bytes(2**28))], zipfile.ZIP_DEFLATED)
    assert len(bomb) < 2**20
    assert "compressed or encrypted parts" in refused(tmp_path, bomb)
    # Stored, and every entry of the directory is the same bytes.
    parts = zipped([("a", bytes(2**20)), ("b", b""), ("c", b"")])
    directory = parts.rindex(b"PK\x01\x02")
    first = parts.index(b"PK\x01\x02")
    second = parts.index(b"PK\x01\x02", first + 1)
    entry = parts[first:second]
    copies = entry + entry.replace(b"a", b"b") + entry.replace(b"a", b"c")
    overlapping = parts[:first] + copies + parts[directory + len(entry) :]
    assert "larger than itself" in refused(tmp_path, overlapping)
