"""Work that a unit does on padding: sizes are rounded up to what the march computes at once."""

from __future__ import annotations

from collections.abc import Iterator

from runtime.bpu.checker.finding import Finding
from runtime.bpu.checker.subject import Subject
from runtime.bpu.operation_cost import operation_work

_MOSTLY = 0.5


def padding_share(subject: Subject) -> float | None:
    """Share of a node's padded work that is padding, 0 to 1; None where no unit does the operation."""
    if not subject.has_unit:
        return None
    work = operation_work(subject.march, subject.operation)
    return 1 - work.useful / work.amount


def work_is_mostly_padding(subject: Subject) -> Iterator[Finding]:
    """More than half of what the unit computes is padding of channels or width to the march's alignment."""
    share = padding_share(subject)
    if share is not None and share > _MOSTLY:
        align = subject.march.alignment
        text = (
            f"{share:.0%} of the work is padding: {_sizes(subject)} in blocks of "
            f"{align.in_channels.value:g}, {align.out_channels.value:g} and {align.width.value:g}"
        )
        yield Finding("note", text, found=round(share, 4), limit=_MOSTLY)


def _sizes(subject: Subject) -> str:
    operation = subject.operation
    width = f", width {operation.out_shape[3]}" if len(operation.out_shape) == 4 else ""
    return f"channels {operation.in_channels} -> {operation.out_channels}{width}"
