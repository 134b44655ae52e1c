"""Rules on the chip."""

from __future__ import annotations

from collections.abc import Iterator

from specgen.did_you_mean import did_you_mean
from specgen.document import Node
from specgen.rules.finding import Finding

MARCHES = ("bernoulli2", "bayes", "bayes-e", "nash-e", "nash-m", "nash-p")


def march_is_known(document: Node) -> Iterator[Finding]:
    """`march` is one of bernoulli2, bayes, bayes-e, nash-e, nash-m, nash-p."""
    node = document.at("march")
    if node.plain() in MARCHES:
        return
    hint = did_you_mean(node.plain(), MARCHES)
    yield Finding(f"`march` is `{node.plain()}`, which is none of {', '.join(MARCHES)}", node.span, hint=hint)
