"""A program on disk comes back equal; wrong marches, versions, damage and malice are refused."""

from __future__ import annotations

import hashlib
import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from naive_program import MARCH, naive_program
from random_graphs import random_graph
from two_layers import program_of_two, with_instruction

from runtime.bpu.march import load_march
from runtime.bpu.march_data import March
from runtime.bpu.program.archive import archive, parts_of
from runtime.bpu.program.hbm_file import read_hbm, write_hbm
from runtime.errors import RunError

PROGRAM = program_of_two()
Parts = dict[str, bytes]


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("hbm") / "model.hbm"
    write_hbm(path, PROGRAM)
    return path.read_bytes()


def refused(tmp_path: Path, content: bytes, march: March | None = None) -> str:
    path = tmp_path / "bad.hbm"
    path.write_bytes(content)
    with pytest.raises(RunError) as caught:
        read_hbm(path, march)
    assert caught.value.place == str(path)
    assert len(caught.value.message) < 500
    return caught.value.message


@pytest.mark.parametrize("seed", range(8))
def test_comes_back_equal(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    program = naive_program(random_graph(rng), rng)
    digest = write_hbm(tmp_path / "a.hbm", program)
    found = read_hbm(tmp_path / "a.hbm", load_march(MARCH))
    assert found == program
    assert write_hbm(tmp_path / "b.hbm", found) == digest
    assert (tmp_path / "a.hbm").read_bytes() == (tmp_path / "b.hbm").read_bytes()


def test_another_program_has_another_digest(tmp_path: Path) -> None:
    other = with_instruction(PROGRAM, 0, 0, cycles=2)
    constants = replace(PROGRAM, constants=PROGRAM.constants[:-1] + b"\x01")
    digests = {write_hbm(tmp_path / "x.hbm", program) for program in (PROGRAM, other, constants)}
    assert len(digests) == 3


def test_ordinary_tools_read_it(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        assert file.namelist() == ["manifest.json", "program.json", "constants.npz"]
        manifest = json.loads(file.read("manifest.json"))
        arrays = np.load(io.BytesIO(file.read("constants.npz")), allow_pickle=False)
        assert arrays["ddr"].tobytes() == PROGRAM.constants
    assert manifest["format"] == "specgen.hbm"
    assert manifest["march"] == MARCH
    assert manifest["options"] == {"parts": "whole"}


def test_a_program_that_makes_no_sense_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="takes 0 cycles"):
        write_hbm(tmp_path / "x.hbm", with_instruction(PROGRAM, 0, 0, cycles=0))
    assert not list(tmp_path.iterdir())


def test_march(tmp_path: Path, content: bytes) -> None:
    march = load_march(MARCH)
    assert refused(tmp_path, content, load_march("nash-e")) == (
        "the program is for the march `bayes`, not for `nash-e`"
    )
    bandwidth = replace(march.memory.ddr_gb_per_s, value=march.memory.ddr_gb_per_s.value + 1)
    faster = replace(march, memory=replace(march.memory, ddr_gb_per_s=bandwidth))
    assert refused(tmp_path, content, faster) == (
        "what is known of the march `bayes` has changed since the program was compiled"
    )


def test_too_large_for_its_march(tmp_path: Path) -> None:
    path = tmp_path / "x.hbm"
    write_hbm(path, replace(PROGRAM, chip_bytes=2**27))
    with pytest.raises(RunError, match="the program uses 134217728 bytes on the chip, `bayes` has"):
        read_hbm(path, load_march(MARCH))


def test_an_operation_on_another_unit(tmp_path: Path) -> None:
    path = tmp_path / "x.hbm"
    write_hbm(path, with_instruction(PROGRAM, 0, 5, unit="VAE"))
    assert read_hbm(path).blocks[0].instructions[5].unit == "VAE"  # no chip is asked for
    with pytest.raises(RunError) as caught:
        read_hbm(path, load_march(MARCH))
    assert caught.value.message == (
        "instruction 5 of block 0 (VAE, layer `first`) does `conv`, which `bayes` does on TAE"
    )


def test_no_such_file(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.hbm", tmp_path):
        with pytest.raises(RunError, match="no such file"):
            read_hbm(path)


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


def zipped(entries: list[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, part in entries:
            file.writestr(name, part)
    return buffer.getvalue()


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


ROW = ("blocks", 0, 1, 5)
"""The computing instruction of the first block: kind, layer, cycles, addresses, waits."""


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
