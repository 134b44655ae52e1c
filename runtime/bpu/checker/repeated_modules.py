"""Modules that a network uses at more than one place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from runtime.bpu.checker.finding import Finding
from runtime.bpu.checker.subject import Subject
from runtime.hbir.ops import OPERATIONS

GraphRule = Callable[[Sequence[Subject]], Iterator[tuple[Subject, Finding]]]

# Of those that only move codes, the ones that are modules of their own and lend their nodes its name.
_MOVING_MODULES = frozenset({"max_pool", "resize_nearest"})


def module_is_used_once(subjects: Sequence[Subject]) -> Iterator[tuple[Subject, Finding]]:
    """Each use of a module is an operation of its own: it has one set of scales, and loads weights again."""
    names = {subject.node.name: subject.node for subject in subjects}
    weights: dict[tuple[object, ...], str] = {}
    for subject in subjects:
        node = subject.node
        # Names that are taken get a number from 2 on.
        again = re.fullmatch(r"(.+)\.(\d+)", node.name)
        first = names.get(again[1]) if again and int(again[2]) > 1 else None
        own = not OPERATIONS[node.op].moves() or node.op in _MOVING_MODULES
        if first is not None and first.op == node.op and own:
            yield subject, Finding("warning", f"the module `{first.name}` is used here again")
        elif "weight" in node.constants and any(node.constants["weight"].data):
            key = (node.op, node.constants["weight"], node.constants["bias"])
            if (other := weights.setdefault(key, node.name)) != node.name:
                yield subject, Finding("warning", f"has the weights of `{other}`: one module at two places")
