"""One code: what it means, an example, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

from specgen.codes.example import Example


@dataclass(frozen=True, slots=True)
class Entry:
    """What `specgen explain` and the page of codes say of a code.

    Attributes:
        meaning: a sentence that says what must be so in a right spec.
        remedy: what to do about a break of it.
        example: a spec that breaks it; None when no spec of the components that come with specgen can, and
            `remedy` says so.
    """

    meaning: str
    remedy: str
    example: Example | None
