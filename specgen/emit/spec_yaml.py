"""The resolved spec as YAML: every value, marked with where it came from when nobody wrote it there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from specgen.document import Node
from specgen.emit.layout import WIDTH
from specgen.emit.literal import number_text, quoted
from specgen.sources import COMMAND_LINE
from specgen.text_width import text_width
from specgen.yaml_scalars import UnusableNumber, plain_scalar

_PLAIN = re.compile(r"[A-Za-z_./][A-Za-z0-9_./+-]*\Z")
_KEY = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_]*|[0-9]+)\Z")
# Words that readers of YAML 1.1 take for something else than text.
_YAML_1_1 = re.compile(r"(?i)(?:y|n|yes|no|on|off|true|false|null)\Z")


def spec_yaml(root: Node) -> str:
    """The lines of the spec, without a header."""
    return "".join(f"{line}\n" for line in _entries(root, 0))


def _entries(node: Node, indent: int) -> Iterator[str]:
    for index, (key, child) in enumerate(node.items()):
        if indent == 0 and index and not child.is_scalar:
            yield ""
        yield from _value(child, indent, f"{' ' * indent}{_key(key)}:", _mark(child, node))


def _value(node: Node, indent: int, start: str, mark: str) -> Iterator[str]:
    """`start` is what stands before the value: a key with its colon, or a list's dash."""
    comment = f"  # {mark}" if mark else ""
    flat = _flat(node)
    if flat is not None and text_width(f"{start} {flat}") <= WIDTH:
        yield f"{start} {flat}{comment}"
        return
    inner = indent + 2
    if start.endswith("-"):
        # A list's element begins on the line of its dash.
        lines = list(_entries(node, inner) if node.is_map else _elements(node, inner))
        yield f"{start} {lines[0].lstrip()}{comment}"
        yield from lines[1:]
        return
    yield f"{start}{comment}"
    yield from _entries(node, inner) if node.is_map else _elements(node, inner)


def _elements(node: Node, indent: int) -> Iterator[str]:
    for child in node.elements():
        yield from _value(child, indent, f"{' ' * indent}-", _mark(child, node))


def _flat(node: Node) -> str | None:
    """The value on one line: scalars, and lists and maps of them in which nothing needs a mark of its own."""
    if node.is_scalar:
        return scalar_yaml(node.value)
    parts = []
    if node.is_map and node.get("type") is not None and len(list(node.items())) > 1:
        return None
    for child in node.elements():
        text = _flat(child)
        if text is None or child.is_map or _mark(child, node):
            return None
        parts.append(text)
    if node.is_list:
        return f"[{', '.join(parts)}]"
    for key, child in node.items():
        text = _flat(child)
        if text is None or not child.is_scalar or _mark(child, node):
            return None
        parts.append(f"{_key(key)}: {text}")
    return f"{{{', '.join(parts)}}}"


def _mark(node: Node, parent: Node) -> str:
    """Where the value came from, when its parent does not say it already."""
    if node.origin == parent.origin and not (
        node.written and node.span.file == COMMAND_LINE != parent.span.file
    ):
        return ""
    if node.origin.kind == "default":
        return "default"
    if node.origin.kind == "derived":
        return "from " + " ".join(node.origin.source.split())
    return "from --set" if node.span.file == COMMAND_LINE else ""


def _key(key: str) -> str:
    return key if _KEY.match(key) and not _YAML_1_1.match(key) else quoted(key, '"')


def scalar_yaml(value: object) -> str:
    """YAML of a scalar; text is quoted unless every reader of YAML takes it for text."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, int):
        return str(value)
    text = str(value).replace("${", "$${")
    return text if _is_plain(text) else quoted(text, '"')


def _is_plain(text: str) -> bool:
    if not _PLAIN.match(text) or _YAML_1_1.match(text):
        return False
    try:
        return isinstance(plain_scalar(text), str)
    except UnusableNumber:
        return False
