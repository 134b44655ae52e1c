"""Files with right digests that somebody wrote to harm are refused, and reading them takes little memory."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hbm_bytes import changed, refused, sealed

from runtime.bpu.program.archive import archive, parts_of

ROW = ("blocks", 0, 1, 5)
"""The computing instruction of the first block: kind, layer, cycles, addresses, waits."""


def test_sealing_is_what_the_writer_does(content: bytes) -> None:
    """So that the tests below are refused for what they change."""
    assert changed(content, "program.json", lambda document: None) == content


def test_another_version(tmp_path: Path, content: bytes) -> None:
    for version in (2, 0, "1", 1.0, None, True, 10**40):
        newer = changed(content, "manifest.json", lambda document, v=version: document.update(version=v))
        assert refused(tmp_path, newer).endswith("this program reads version 1")


def set_in(*keys: Any, value: Any) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        for key in keys[:-1]:
            document = document[key]
        document[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda document: [], "has not the keys"),
        (lambda document: document.update(more=1), "has not the keys"),
        (lambda document: document.pop("kinds") and None, "has not the keys"),
        (set_in("chip_bytes", value=1.0), "1.0 is no integer of 64 bits"),
        (set_in("chip_bytes", value=True), "True is no integer of 64 bits"),
        (set_in("chip_bytes", value=2**63), "is no integer of 64 bits"),
        (set_in("chip_bytes", value=10**400), "a huge number is no integer of 64 bits"),
        (set_in("chip_bytes", value=2**40), "at most 268435456 are possible"),
        (set_in("ddr_bytes", value=2**40), "at most 2147483648 are possible"),
        (set_in("ddr_bytes", value=-1), "at most 2147483648 are possible"),
        (set_in("inputs", 0, 3, 0, value="1"), "'1' is no finite number"),
        (set_in("inputs", 0, 3, 0, value=1), "1 is no finite number"),
        (set_in("inputs", 0, 2, value=[1, 3, 2**40, 2**40]), "elements are possible"),
        (set_in("inputs", 0, 2, value=[1, 3, -6, 5]), "elements are possible"),
        (set_in("inputs", 0, 1, value="float32"), "`float32` is none of int8"),
        (set_in("inputs", 0, 0, value="a"), "names of tensors repeat"),
        (set_in("inputs", 0, 0, value={}), "an object of 0 is no text"),
        (set_in("outputs", value=["x"]), "has homes for|results"),
        (set_in("layers", 0, 1, value="__import__"), "is none of conv"),
        (set_in("layers", 0, 4, "groups", value=0), "groups"),
        (set_in("layers", 0, 4, "stride", value=[0, 0]), "stride 0"),
        (set_in("layers", 0, 4, "padding", value=[2**40, 1]), "padding"),
        (set_in("layers", 0, 4, "shell", value=1), "has the attributes"),
        (set_in("layers", 0, 4, "lo", value="x"), "'x' is no integer"),
        (set_in("layers", 0, 2, value=["b"]), "which nothing makes before it"),
        (set_in("layers", 0, 5, "weight", 1, value=-64), "the constant `weight` of the layer `first`"),
        (set_in("layers", 0, 5, "weight", 0, value=10**6), "is no place among"),
        (set_in("homes", "x", 1, value=2**62), "the home of `x`"),
        (set_in(*ROW, value=[]), "an instruction of 0 numbers"),
        (set_in(*ROW, value=[0, 0, 1]), "an instruction with 0 of"),
        (set_in(*ROW, value=5), "5 is no list"),
        (set_in(*ROW, 0, value=99), "99 is no place among"),
        (set_in(*ROW, 0, value=-1), "-1 is no place among"),
        (set_in(*ROW, 1, value=7), "belongs to one of 2 layers"),
        (set_in(*ROW, 2, value=-5), "takes -5 cycles"),
        (set_in(*ROW, 3, value=-8), "has a region at -0x8"),
        (set_in(*ROW, 3, value=2**62), "of chip, which has"),
        (set_in(*ROW, 9, value=0), "waits for instruction 5, which is not before it"),
        (set_in(*ROW, 9, value=-3), "waits for instruction 8, which is not before it"),
        (set_in("blocks", 0, 0, value=0), "has no turn"),
        (set_in("blocks", 0, 0, value=2**50), "at most 131072 are possible"),
        (set_in("layouts", 0, 2, value=[2**31, 2**31, 2**31, 2**31]), "values are possible|the home"),
        (set_in("layouts", 0, 0, value="disk"), "`disk` is none of ddr, chip"),
        (set_in("kinds", 0, 0, value="SHELL"), "`SHELL` is none of LOAD"),
        (set_in("kinds", 0, 4, value={"pad_left": 1}), "`pad_left` is none of"),
        (set_in("kinds", 0, 1, value=[0] * 1000), "an instruction with"),
        (lambda document: document["layouts"].append(document["layouts"][0]), "not written as this program"),
    ],
)
def test_made_to_harm(tmp_path: Path, content: bytes, change: Callable[[Any], object], message: str) -> None:
    found = refused(tmp_path, changed(content, "program.json", change))
    assert re.search(message, found), found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{"a":1,"a":2}', "a key stands twice"),
        (b'{"chip_bytes":NaN}', "NaN is no number of JSON"),
        (b'{"chip_bytes":-Infinity}', "-Infinity is no number of JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[" + b"[]," * 2**20 + b"[]]", "more than 1048576 lists"),
        (b"9" * 10**6, "Exceeds the limit|is no"),
        (b"\xff\xfe", "codec can't decode"),
        (b"", "Expecting value"),
    ],
)
def test_harmful_json(tmp_path: Path, content: bytes, text: bytes, message: str) -> None:
    found = refused(tmp_path, sealed({**parts_of(content), "program.json": text}))
    assert re.search(message, found), found
    parts = {**parts_of(content), "manifest.json": text}
    found = refused(tmp_path, archive(parts))
    assert re.search(f"{message}|its manifest takes {len(text)} bytes", found), found


@pytest.mark.parametrize(
    "constants",
    [
        b"",
        b"PK",
        archive({"ddr.npy": b""}),
        archive({"ddr.npy": b"\x93NUMPY\x01\x00" + bytes(300)}),
        archive({}),
    ],
)
def test_harmful_constants(tmp_path: Path, content: bytes, constants: bytes) -> None:
    refused(tmp_path, sealed({**parts_of(content), "constants.npz": constants}))


def test_pickled_constants(tmp_path: Path, content: bytes) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, ddr=np.array([print], dtype=object))
    refused(tmp_path, sealed({**parts_of(content), "constants.npz": buffer.getvalue()}))


def test_memory_stays_bounded(tmp_path: Path, content: bytes) -> None:
    """The largest lists that are parsed at all take less than 512 MiB more than the imports."""
    rows = [[0] * 7] * (2**20 - 100)
    hostile = changed(content, "program.json", lambda document: set_in("blocks", 0, 1, value=rows)(document))
    path = tmp_path / "x.hbm"
    path.write_bytes(hostile)
    program = (
        "import resource, sys, pathlib\n"
        "from runtime.bpu.program.hbm_file import read_hbm\n"
        "from runtime.errors import RunError\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n"
        "    read_hbm(pathlib.Path(sys.argv[1]))\n"
        "except RunError:\n"
        "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert int(done.stdout) < 512 * 1024  # KiB
