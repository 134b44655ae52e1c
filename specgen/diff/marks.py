"""The origins that a resolved `spec.yaml` notes at the ends of its lines, read back."""

from __future__ import annotations

import re
from dataclasses import replace
from types import MappingProxyType

from specgen.document import DEFAULT, WRITTEN, Node, Origin

# Text with blanks is quoted in a resolved spec, so that this is never the end of a value.
_MARK = re.compile(r"  # (?:(default)|from (?!--set)(.+))$")


def with_origins(root: Node, text: str) -> Node:
    """The tree of a resolved spec, each value with the origin that its line or that of its parent notes."""
    lines = text.splitlines()
    origins = {}
    for number, line in enumerate(lines, start=1):
        if found := _MARK.search(line):
            origins[number] = DEFAULT if found[1] else Origin.derived(found[2])
    return _marked(root, origins, WRITTEN)


def _marked(node: Node, origins: dict[int, Origin], around: Origin) -> Node:
    """`node` and all inside it; an element of a list has no note of its own: that on its line is its first
    key's."""
    origin = origins.get(node.key_span.line, around) if node.key_span is not None else around
    if node.is_map:
        entries = {key: _marked(child, origins, origin) for key, child in node.items()}
        return replace(node, value=MappingProxyType(entries), origin=origin)
    if node.is_list:
        elements = tuple(_marked(child, origins, origin) for child in node.elements())
        return replace(node, value=elements, origin=origin)
    return replace(node, origin=origin)


def only_written(root: Node) -> Node:
    """The tree without the values that nobody wrote."""
    if root.is_map:
        entries = {key: only_written(child) for key, child in root.items() if child.written}
        return replace(root, value=MappingProxyType(entries))
    if root.is_list:
        return replace(root, value=tuple(only_written(child) for child in root.elements()))
    return root


def origins_of(root: Node, noted: Node) -> Node:
    """`root` with the origins of `noted`, a tree of the same shape or less."""
    if root.is_map:
        entries = {
            key: child if (other := noted.get(key)) is None else origins_of(child, other)
            for key, child in root.items()
        }
        return replace(root, value=MappingProxyType(entries), origin=noted.origin)
    if root.is_list and len(root.elements()) == len(noted.elements()):
        pairs = zip(root.elements(), noted.elements(), strict=True)
        return replace(root, value=tuple(origins_of(*pair) for pair in pairs), origin=noted.origin)
    return replace(root, origin=noted.origin)
