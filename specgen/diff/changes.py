"""Where two trees of values differ: at the smallest values, with lists of components aligned by type."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from specgen.document import Node, Path


@dataclass(frozen=True, slots=True)
class Change:
    """A value that differs; None on the side that lacks it.

    `old_path` and `new_path` differ where elements before it in a list were added or removed.
    """

    old_path: Path
    new_path: Path
    old: Node | None
    new: Node | None

    @property
    def path(self) -> Path:
        """Where it is now, or where it was."""
        return self.new_path if self.new is not None else self.old_path


def changes(old: Node, new: Node, old_path: Path = (), new_path: Path = ()) -> Iterator[Change]:
    """All differences, in the order of the new tree; those of a component that became another are one."""
    if old.plain() == new.plain() and same_types(old.plain(), new.plain()):
        return
    if old.is_map and new.is_map and old.type == new.type and not _derived_map(old, new):
        yield from _entries(old, new, old_path, new_path)
    elif _components(old) and _components(new):
        yield from _elements(old, new, old_path, new_path)
    else:
        yield Change(old_path, new_path, old, new)


def _derived_map(old: Node, new: Node) -> bool:
    """Whether they are maps that nobody wrote, such as channels by stride, which say more as a whole."""
    return old.type is None and not old.written and not new.written


def same_types(old: object, new: object) -> bool:
    """Whether equal values are written alike: to Python `1`, `1.0` and `True` are equal."""
    if isinstance(old, dict) and isinstance(new, dict):
        return all(same_types(value, new[key]) for key, value in old.items())
    if isinstance(old, list) and isinstance(new, list):
        return all(map(same_types, old, new))
    return type(old) is type(new)


def _entries(old: Node, new: Node, old_path: Path, new_path: Path) -> Iterator[Change]:
    before, after = dict(old.items()), dict(new.items())
    for key, node in after.items():
        if key in before:
            yield from changes(before[key], node, (*old_path, key), (*new_path, key))
        else:
            yield Change((*old_path, key), (*new_path, key), None, node)
    for key, node in before.items():
        if key not in after:
            yield Change((*old_path, key), (*new_path, key), node, None)


def _components(node: Node) -> bool:
    """Whether it is a list of components, variables for them included."""
    return bool(node.elements()) and all(item.type or isinstance(item.value, str) for item in node.elements())


def _elements(old: Node, new: Node, old_path: Path, new_path: Path) -> Iterator[Change]:
    names = [[item.type or str(item.value) for item in node.elements()] for node in (old, new)]
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, names[0], names[1], autojunk=False).get_opcodes():
        if tag == "equal":
            for i, j in zip(range(i1, i2), range(j1, j2), strict=True):
                yield from changes(old.at(i), new.at(j), (*old_path, i), (*new_path, j))
            continue
        for i in range(i1, i2):
            yield Change((*old_path, i), (*new_path, i), old.at(i), None)
        for j in range(j1, j2):
            yield Change((*old_path, j), (*new_path, j), None, new.at(j))
