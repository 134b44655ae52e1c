"""Rules on the section `quantization`: what its own rules select and set."""

from __future__ import annotations

from collections.abc import Iterator

from specgen.document import Node
from specgen.rules.finding import Finding
from specgen.value_text import value_text

_SELECTS = ("match", "op")
_SETS = ("bits", "observer", "scale")
ACCUMULATOR_BITS = 32


def rules_select(document: Node) -> Iterator[Finding]:
    """A rule of `quantization` chooses tensors, by `match`, by `op` or by both."""
    for place, rule in _rules(document):
        if not _given(rule, _SELECTS):
            message = f"`{place}` is for no tensor: it has neither `match` nor `op`"
            yield Finding(message, rule.span)


def rules_set(document: Node) -> Iterator[Finding]:
    """A rule of `quantization` sets `bits`, `observer` or `scale`, or keeps its tensors in float."""
    for place, rule in _rules(document):
        if not _given(rule, _SETS) and not rule.plain_at("keep_float"):
            message = f"`{place}` sets none of `bits`, `observer` and `scale`, and has no `keep_float: true`"
            yield Finding(message, rule.span)


def float_has_no_codes(document: Node) -> Iterator[Finding]:
    """A rule with `keep_float` sets neither `bits` nor `observer` nor `scale`."""
    for place, rule in _rules(document):
        if not rule.plain_at("keep_float"):
            continue
        for key in _given(rule, _SETS):
            node = rule.at(key)
            message = f"`{place}.{key}` is {_shown(node)}, but a tensor kept in float has no codes"
            related = ((rule.at("keep_float").span, "stays in float"),)
            yield Finding(message, node.span, related, f"leave out `{key}` or `keep_float`")


def fixed_scale_is_not_observed(document: Node) -> Iterator[Finding]:
    """A rule has a fixed `scale` or an `observer` that finds one, not both."""
    for place, rule in _rules(document):
        if len(_given(rule, ("observer", "scale"))) == 2:
            observer, scale = rule.at("observer"), rule.at("scale")
            message = f"`{place}.observer` is {_shown(observer)}, but `scale` {_shown(scale)} is fixed"
            related = ((scale.span, "nothing is left to observe"),)
            yield Finding(message, observer.span, related, "leave out `observer` or `scale`")


def accumulators_are_outputs(document: Node) -> Iterator[Finding]:
    """`bits: 32` is for `op: output` alone, without `observer` and `scale`: an output as it was summed."""
    for place, rule in _rules(document):
        if rule.plain_at("bits") != ACCUMULATOR_BITS:
            continue
        bits, op = rule.at("bits"), rule.get("op")
        if op is None or op.plain() is None:
            message = f"`{place}.bits` is 32, which is for outputs alone, and the rule has no `op`"
            yield Finding(message, bits.span, hint="add `op: output`, beside `match` where there is one")
        elif op.plain() != "output":
            message = (
                f"`{place}.bits` is 32, but `op` is {_shown(op)}: only an output can stay as it was summed"
            )
            yield Finding(message, bits.span, ((op.span, "not an output"),), "write 8 or 16")
        for key in _given(rule, ("observer", "scale")):
            node = rule.at(key)
            message = (
                f"`{place}.{key}` is {_shown(node)}, but the scale of 32 bits follows from inputs and weights"
            )
            yield Finding(message, node.span, ((bits.span, "as it was summed"),), f"leave out `{key}`")


def _rules(document: Node) -> Iterator[tuple[str, Node]]:
    """The rules of the section, with their dotted places."""
    for index, rule in enumerate(document.at("quantization", "rules").elements()):
        yield f"quantization.rules.{index}", rule


def _given(rule: Node, keys: tuple[str, ...]) -> list[str]:
    """Those of the keys that have a value."""
    return [key for key in keys if rule.plain_at(key) is not None]


def _shown(node: Node) -> str:
    value = node.plain()
    return f"`{value}`" if isinstance(value, str) else value_text(value)
