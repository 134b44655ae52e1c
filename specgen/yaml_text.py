"""YAML 1.2 text to a `Node` tree that keeps the place of each key and value.

The spec language is YAML without tags, anchors, aliases and merge keys: `vars` and `extends` do what those
do, and are visible to the schemas. PyYAML scans and parses; composing is done here because its composer
drops what we refuse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

import yaml

from specgen.diagnostic import Diagnostic, Span, SpecError
from specgen.document import Node
from specgen.yaml_scalars import UnusableNumber, plain_scalar

MAX_DEPTH = 40
MAX_VALUES = 10_000
Event = Any  # PyYAML's classes, whose published types lack most attributes
Mark = Any
# What PyYAML notices only later, with what is wrong at the beginning.
_BEGINNINGS = {
    "while scanning a simple key": (
        "this is no `key: value`",
        "a colon is followed by a space, and a text of several lines is quoted",
    ),
    "while scanning a quoted scalar": ("the quote is not closed", None),
}
_INT_KEY = re.compile(r"[0-9]+\Z")


def parse_yaml(text: str, file: str, *, line: int = 1, column: int = 1) -> Node:
    """The one document in `text`; `line` and `column` say where in `file` the text starts.

    Raises:
        SpecError: with every mistake found; a syntax error ends the search.
    """
    composer = _Composer(text, file, line, column)
    root = composer.document()
    if composer.diagnostics:
        raise SpecError(*composer.diagnostics)
    return root


class _Composer:
    def __init__(self, text: str, file: str, line: int, column: int) -> None:
        self.file = file
        self.lines = re.split(r"\r\n|[\r\n\x85\u2028\u2029]", text)
        self.line, self.column = line, column
        self.diagnostics: list[Diagnostic] = []
        self.made = 0
        self.events = self._events(text)

    # -- events ----------------------------------------------------------------------------------------------

    def _events(self, text: str) -> Iterator[Event]:
        try:
            yield from yaml.parse(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            raise SpecError(*self.diagnostics, self._syntax_error(error)) from None
        except yaml.reader.ReaderError as error:
            before = text[: error.position]
            column = error.position - before.rfind("\n")
            span = Span(self.file, self.line + before.count("\n"), column, column + 1)
            message = f"the character U+{ord(text[error.position]):04X} is not allowed in YAML"
            raise SpecError(*self.diagnostics, Diagnostic("E003", message, span)) from None

    def _syntax_error(self, error: yaml.MarkedYAMLError) -> Diagnostic:
        mark = error.problem_mark or error.context_mark
        start = (
            self._point(mark)
            if mark is not None
            else Span(self.file, self.line, self.column, self.column + 1)
        )
        problem = error.problem or "cannot be read"
        related: tuple[tuple[Span, str], ...] = ()
        if error.context_mark is not None and error.context:
            at = self._point(error.context_mark)
            if at.line != start.line:
                related = ((at, error.context),)
        hint = "indent with spaces: YAML allows no tabs" if "'\\t'" in problem else None
        if related and error.context in _BEGINNINGS:
            message, hint = _BEGINNINGS[error.context]
            return Diagnostic("E003", f"not valid YAML: {message}", related[0][0], hint=hint)
        return Diagnostic("E003", f"not valid YAML: {problem}", start, related, hint)

    # -- places ----------------------------------------------------------------------------------------------

    def _point(self, mark: Mark) -> Span:
        column = mark.column + (self.column if mark.line == 0 else 1)
        return Span(self.file, self.line + mark.line, column, column + 1)

    def _span(self, start: Mark, end: Mark) -> Span:
        at = self._point(start)
        if end.line == start.line:
            width = end.column - start.column
        else:
            width = len(self.lines[start.line].rstrip()) - start.column if start.line < len(self.lines) else 1
        return Span(at.file, at.line, at.column, at.column + max(width, 1))

    def _report(self, code: str, message: str, span: Span, hint: str | None = None) -> None:
        self.diagnostics.append(Diagnostic(code, message, span, hint=hint))

    # -- composing -------------------------------------------------------------------------------------------

    def document(self) -> Node:
        next(self.events)  # the stream's start
        first = next(self.events)
        if isinstance(first, yaml.StreamEndEvent):
            return Node(None, Span(self.file, self.line, self.column, self.column + 1))
        if first.version not in (None, (1, 2)) or first.tags:
            self._report(
                "E003", "a spec takes no other YAML directive than `%YAML 1.2`", self._point(first.start_mark)
            )
        root = self._node(next(self.events), depth=0, key_span=None)
        next(self.events)  # the document's end
        after = next(self.events)
        if not isinstance(after, yaml.StreamEndEvent):
            place = self._span(after.start_mark, after.end_mark)
            self._report("E004", "a spec is one YAML document, and here a second one starts", place)
        return root

    def _node(self, event: Event, *, depth: int, key_span: Span | None) -> Node:
        span = self._span(event.start_mark, event.end_mark)
        if depth > MAX_DEPTH:
            raise SpecError(
                *self.diagnostics, Diagnostic("E010", f"more than {MAX_DEPTH} levels of nesting", span)
            )
        self.made += 1
        if self.made > MAX_VALUES:
            message = f"more than {MAX_VALUES} keys and values"
            raise SpecError(*self.diagnostics[:1], Diagnostic("E010", message, span))
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            self._report(
                "E007",
                "anchors and aliases are not part of the spec language",
                span,
                hint="put the shared value under `vars:` and write `${name}` where it is used",
            )
        if isinstance(event, yaml.AliasEvent):
            return Node(None, span, key_span)
        if event.tag is not None:
            self._report(
                "E006", f"tags such as `{_shown_tag(event.tag)}` are not part of the spec language", span
            )
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, span, key_span)
        # A block collection is marked by its key: its own lines are too many to underline.
        in_block = key_span is not None and not event.flow_style
        if isinstance(event, yaml.SequenceStartEvent):
            elements, end = self._elements(depth)
            own = key_span if in_block else self._collection_span(event, end, elements)
            return Node(elements, own or span, key_span)
        entries, end = self._entries(depth)
        own = key_span if in_block else self._collection_span(event, end, tuple(entries.values()))
        return Node(MappingProxyType(entries), own or span, key_span)

    def _collection_span(self, event: Event, end: Mark, children: tuple[Node, ...]) -> Span:
        if event.flow_style or not children:
            return self._span(event.start_mark, end)
        start, first = self._point(event.start_mark), children[0].span
        return Span(start.file, start.line, start.column, max(first.end_column, start.end_column))

    def _scalar(self, event: Event, span: Span, key_span: Span | None) -> Node:
        if event.style is not None or event.tag is not None:
            if any("\ud800" <= c <= "\udfff" for c in event.value):
                self._report("E002", "half a surrogate pair is not text", span)
            if "\0" in event.value:
                self._report("E002", "the character U+0000 is not allowed in a text", span)
            return Node(event.value, span, key_span)
        try:
            return Node(plain_scalar(event.value), span, key_span)
        except UnusableNumber as error:
            self._report("E009", str(error), span)
            return Node(0, span, key_span)

    def _elements(self, depth: int) -> tuple[tuple[Node, ...], Mark]:
        elements = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            elements.append(self._node(event, depth=depth + 1, key_span=None))
        return tuple(elements), event.end_mark

    def _entries(self, depth: int) -> tuple[dict[str, Node], Mark]:
        entries: dict[str, Node] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self._key(event, depth)
            key_span = self._span(event.start_mark, event.end_mark)
            node = self._node(next(self.events), depth=depth + 1, key_span=key_span)
            if key is None:
                continue
            if key in entries:
                first = entries[key].key_span or key_span
                message = f"the key `{key}` is written twice in one map"
                self.diagnostics.append(Diagnostic("E005", message, key_span, ((first, "first here"),)))
                continue
            entries[key] = node
        return entries, event.end_mark

    def _key(self, event: Event, depth: int) -> str | None:
        span = self._span(event.start_mark, event.end_mark)
        node = self._node(event, depth=depth + 1, key_span=None)
        if not isinstance(event, yaml.ScalarEvent):
            if not isinstance(event, yaml.AliasEvent):
                self._report("E008", "a key must be text", span)
            return None
        if node.value == "<<" and event.style is None:
            self._report(
                "E007",
                "merge keys are not part of the spec language",
                span,
                hint="put the shared value under `vars:` and write `${name}` where it is used",
            )
            return None
        # Numbers such as strides are keys too; they are kept as they were written.
        if isinstance(node.value, str) or _INT_KEY.match(event.value):
            return event.value
        self._report("E008", f"a key must be text, and `{event.value}` is not", span, hint="put it in quotes")
        return None


def _shown_tag(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")
