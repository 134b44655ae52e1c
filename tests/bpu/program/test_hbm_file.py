"""A program on disk comes back equal, and is refused for a march that it does not fit."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hbm_bytes import refused
from naive_program import MARCH, naive_program
from random_graphs import random_graph
from two_layers import program_of_two, with_instruction

from runtime.bpu.march import load_march
from runtime.bpu.program.hbm_file import read_hbm, write_hbm
from runtime.errors import RunError

PROGRAM = program_of_two()


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
