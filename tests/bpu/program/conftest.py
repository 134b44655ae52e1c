"""A program of two layers on disk."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from two_layers import program_of_two

from runtime.bpu.program.hbm_file import write_hbm

sys.path.insert(0, str(Path(__file__).parent))  # for `hbm_bytes`


@pytest.fixture(scope="session")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a right file."""
    path = tmp_path_factory.mktemp("hbm") / "model.hbm"
    write_hbm(path, program_of_two())
    return path.read_bytes()
