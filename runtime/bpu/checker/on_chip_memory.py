"""Tensors that on-chip memory does not hold."""

from __future__ import annotations

from collections.abc import Iterator

from runtime.bpu.checker.finding import Finding, against
from runtime.bpu.checker.subject import Subject


def tensor_fits_on_chip(subject: Subject) -> Iterator[Finding]:
    """Every tensor fits into on-chip memory; larger ones are cut into tiles and pass through DDR."""
    memory = subject.march.memory.on_chip_bytes
    if subject.has_unit and subject.made.bytes > memory.value:
        text = (
            f"{subject.made.dtype} {subject.made.shape} takes {_mebibytes(subject.made.bytes)}, on-chip "
            f"memory is {_mebibytes(memory.value)}"
        )
        yield against("note", text, memory, found=subject.made.bytes)


def _mebibytes(count: float) -> str:
    return f"{count / 2**20:.3g} MiB"
