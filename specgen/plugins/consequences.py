"""Which mistakes in the shape of a spec follow from another one in `plugins`."""

from __future__ import annotations

from collections.abc import Iterator

from specgen.diagnostic import Diagnostic, Span
from specgen.document import Node
from specgen.plugins.modules import PLUGINS


def without_consequences(found: list[Diagnostic], root: Node) -> list[Diagnostic]:
    """All but the unknown types when `plugins` itself is wrong: they may be those of the plugin meant."""
    section = root.get(PLUGINS)
    if section is None:
        return found
    places = {section.span, *(node.span for node in section.elements())}
    if not any(diagnostic.span in places for diagnostic in found):
        return found
    types = set(_types(root))
    return [diagnostic for diagnostic in found if diagnostic.code != "E105" or diagnostic.span not in types]


def _types(node: Node) -> Iterator[Span]:
    """Places of the `type` of every component."""
    named = node.get("type")
    if named is not None:
        yield named.span
    for child in (*node.elements(), *(child for _, child in node.items())):
        yield from _types(child)
