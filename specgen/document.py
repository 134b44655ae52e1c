"""The spec as a tree of values that know where they were written and where they came from.

Everything is immutable: a step that changes the spec returns a new tree, sharing what it did not touch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

from specgen.diagnostic import Span

Scalar = str | int | float | bool | None
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from: the user, the schema's default, or another part of the spec (`source`)."""

    kind: Literal["written", "default", "derived"]
    source: str = ""

    @classmethod
    def derived(cls, source: str) -> Origin:
        """`source` completes "# from ...", best as a dotted path: `model.backbone`."""
        return cls("derived", source)


WRITTEN = Origin("written")
DEFAULT = Origin("default")


@dataclass(frozen=True, slots=True)
class Node:
    """One value of the spec: a map of nodes, a tuple of nodes or a scalar.

    `span` is the value's place; `key_span` the place of the key it stands under (None in lists and at the
    top). A value that nobody wrote has the place of the component that it belongs to.
    """

    value: Mapping[str, Node] | tuple[Node, ...] | Scalar
    span: Span
    key_span: Span | None = None
    origin: Origin = WRITTEN

    @property
    def is_map(self) -> bool:
        return isinstance(self.value, Mapping)

    @property
    def is_list(self) -> bool:
        return isinstance(self.value, tuple)

    @property
    def is_scalar(self) -> bool:
        return not isinstance(self.value, (Mapping, tuple))

    @property
    def written(self) -> bool:
        return self.origin.kind == "written"

    @property
    def type(self) -> str | None:
        """The component's `type`, None when this is no component."""
        node = self.get("type")
        return node.value if node is not None and isinstance(node.value, str) else None

    def items(self) -> Iterator[tuple[str, Node]]:
        """Entries of a map in order; nothing for any other value."""
        if isinstance(self.value, Mapping):
            yield from self.value.items()

    def elements(self) -> tuple[Node, ...]:
        """Elements of a list; nothing for any other value."""
        return self.value if isinstance(self.value, tuple) else ()

    def get(self, *path: str | int) -> Node | None:
        """The node at `path` (`get("model", "bev_decoders", 0)`), None where there is nothing.

        Negative indexes count from the end. A path that steps into a scalar finds nothing.
        """
        node: Node = self
        for step in path:
            found: Node | None = None
            if isinstance(node.value, Mapping) and isinstance(step, str):
                found = node.value.get(step)
            elif isinstance(node.value, tuple) and isinstance(step, int):
                size = len(node.value)
                found = node.value[step] if -size <= step < size else None
            if found is None:
                return None
            node = found
        return node

    def at(self, *path: str | int) -> Node:
        """Like `get`, for what must be there.

        Raises:
            KeyError: when there is nothing at `path`.
        """
        node = self.get(*path)
        if node is None:
            raise KeyError(dotted(path))
        return node

    def plain(self) -> Any:
        """The value as dicts, lists and scalars."""
        if isinstance(self.value, Mapping):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, tuple):
            return [node.plain() for node in self.value]
        return self.value

    def plain_at(self, *path: str | int, default: Any = None) -> Any:
        """The plain value at `path`, `default` where there is nothing."""
        node = self.get(*path)
        return default if node is None else node.plain()

    def walk(self, path: Path = ()) -> Iterator[tuple[Path, Node]]:
        """Every node with its path, this one first, in document order."""
        yield path, self
        for key, child in self.items():
            yield from child.walk((*path, key))
        for index, child in enumerate(self.elements()):
            yield from child.walk((*path, index))

    def replace(self, path: Path, node: Node) -> Node:
        """This tree with `node` at `path`; a new key goes to the end of its map.

        Raises:
            KeyError: when the parent of `path` does not exist.
        """
        if not path:
            return node
        step, rest = path[0], path[1:]
        if isinstance(self.value, Mapping) and isinstance(step, str):
            child = self.value.get(step)
            if child is None and rest:
                raise KeyError(dotted(path))
            entry = node if child is None else child.replace(rest, node)
            return replace(self, value=MappingProxyType({**self.value, step: entry}))
        if (
            isinstance(self.value, tuple)
            and isinstance(step, int)
            and -len(self.value) <= step < len(self.value)
        ):
            index = step % len(self.value)
            changed = self.value[index].replace(rest, node)
            return replace(self, value=(*self.value[:index], changed, *self.value[index + 1 :]))
        raise KeyError(dotted(path))

    def with_value(self, path: Path, value: Any, origin: Origin) -> Node:
        """This tree with the plain `value` at `path`, marked with `origin`.

        The place of the new value is that of what it replaces, else of the component that it goes into.
        """
        old, parent = self.get(*path), self.at(*path[:-1])
        named = parent.get("type") or parent
        span = old.span if old is not None else named.span
        return self.replace(
            path, node_of(value, span=span, key_span=old.key_span if old is not None else None, origin=origin)
        )


def node_of(value: Any, *, span: Span, key_span: Span | None = None, origin: Origin = WRITTEN) -> Node:
    """A node tree from plain data, all of it with one place and one origin."""
    if isinstance(value, Mapping):
        entries = {str(key): node_of(item, span=span, origin=origin) for key, item in value.items()}
        return Node(MappingProxyType(entries), span, key_span, origin)
    if isinstance(value, (list, tuple)):
        return Node(tuple(node_of(item, span=span, origin=origin) for item in value), span, key_span, origin)
    return Node(value, span, key_span, origin)


def dotted(path: Path) -> str:
    """`model.bev_decoders.0.head`: the one way paths are written, in messages and for `--set`."""
    return ".".join(str(step) for step in path)
