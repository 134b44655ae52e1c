"""Rules on the chip."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from specgen.document import Node
from specgen.rules.finding import Finding

MARCHES = ("bernoulli2", "bayes", "bayes-e", "nash-e", "nash-m", "nash-p")


def march_is_known(document: Node) -> Iterator[Finding]:
    """`march` is one of bernoulli2, bayes, bayes-e, nash-e, nash-m, nash-p."""
    node = document.at("march")
    if node.plain() in MARCHES:
        return
    close = difflib.get_close_matches(node.plain(), MARCHES, n=1, cutoff=0.6)
    hint = f"did you mean `{close[0]}`?" if close else None
    yield Finding(f"`march` is `{node.plain()}`, which is none of {', '.join(MARCHES)}", node.span, hint=hint)
