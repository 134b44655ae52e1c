"""Rules on the chip."""

from __future__ import annotations

from collections.abc import Iterator

from specgen.did_you_mean import did_you_mean
from specgen.document import Node
from specgen.locate import march_names
from specgen.rules.finding import Finding


def march_is_known(document: Node) -> Iterator[Finding]:
    """`march` is a chip that has a file in `runtime/bpu/marches`."""
    node = document.at("march")
    names = march_names()
    if node.plain() in names:
        return
    hint = did_you_mean(node.plain(), names)
    yield Finding(f"`march` is `{node.plain()}`, which is none of {', '.join(names)}", node.span, hint=hint)
