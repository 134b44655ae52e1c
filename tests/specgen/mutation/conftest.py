"""Wrong specs by the thousand: each key, value and element of a spec's text changed in every usual way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import yaml

Path = tuple[str | int, ...]
YamlNode = Any  # PyYAML's classes, whose published types lack most attributes

# Values of another type, as a user writes them; every one is put in the place of every value.
RETYPED = {"text": "some_text", "number": "7", "list": "[1]", "map": "{a: 1}", "null": "null", "bool": "true"}
# A key's name with a slip of the fingers, and one that was never meant.
RENAMED: dict[str, Callable[[str], str]] = {
    "typo": lambda key: key[:-1] if len(key) > 3 else key + "x",
    "stranger": lambda _: "colour",
}


@dataclass(frozen=True)
class Mutant:
    """A spec with one change.

    Attributes:
        kind: what was done: `removed`, `typo`, `negated`, ...
        path: of what was changed.
        text: the whole spec.
        lines: lines of `text` where a message belongs: the changed one, the parent's for a removal.
        value: the new value as written, None for a change of keys.
    """

    kind: str
    path: Path
    text: str
    lines: frozenset[int]
    value: str | None = None


@pytest.fixture(scope="session")
def mutants_of() -> Callable[[str], Iterator[Mutant]]:
    return mutants


def mutants(text: str) -> Iterator[Mutant]:
    """Every mutant of a spec, in file order, without those that say the same as the original."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    first = root.value[0][0].start_mark.line + 1
    for mutant in _of_map(text, root, (), frozenset({first})):
        if mutant.text == text:
            continue
        if len(mutant.path) == 2 and mutant.path[0] == "vars" and mutant.value is None:
            yield replace(mutant, lines=mutant.lines | _uses(mutant.text, str(mutant.path[1])))
        else:
            yield mutant


def _uses(text: str, variable: str) -> set[int]:
    """Lines that use a variable: without it, they are what is wrong."""
    use = "${" + variable + "}"
    return {number for number, line in enumerate(text.split("\n"), start=1) if use in line}


def _of_map(text: str, node: YamlNode, path: Path, home: frozenset[int]) -> Iterator[Mutant]:
    """`home` are the lines where what is missing in the map is reported: its key's, and its type's."""
    pieces = [(key.start_mark.index, _end(value)) for key, value in node.value]
    home |= {key.start_mark.line + 1 for key, _ in node.value if key.value == "type"}
    for index, (key, value) in enumerate(node.value):
        here: Path = (*path, key.value)
        line = key.start_mark.line + 1
        start, end = pieces[index]
        for kind, rename in RENAMED.items():
            changed = _put(text, start, key.end_mark.index, rename(key.value))
            yield Mutant(kind, here, changed, frozenset({line}) | home)
        if len(pieces) > 1:
            yield Mutant("removed", here, _without(text, pieces, index), _shifted(text, pieces, index, home))
        entry = text[start:end]
        between = ", " if node.flow_style else "\n" + " " * key.start_mark.column
        twice = frozenset({line, line + entry.count("\n") + between.count("\n")})
        yield Mutant("duplicated", here, _put(text, end, end, between + entry), twice)
        yield from _of_value(text, value, here, key.end_mark.index + 1, frozenset({line}))


def _of_list(text: str, node: YamlNode, path: Path, home: frozenset[int]) -> Iterator[Mutant]:
    pieces = [(element.start_mark.index, _end(element)) for element in node.value]
    for index, element in enumerate(node.value):
        here: Path = (*path, index)
        start, end = pieces[index]
        if len(pieces) > 1:
            yield Mutant("removed", here, _without(text, pieces, index), _shifted(text, pieces, index, home))
        entry = text[start:end]
        column = element.start_mark.column
        between = ", " if node.flow_style else "\n" + " " * (column - 2) + "- "
        first = element.start_mark.line + 1
        last = first + 2 * entry.count("\n") + between.count("\n")
        yield Mutant(
            "duplicated", here, _put(text, end, end, between + entry), home | set(range(first, last + 1))
        )
        yield from _of_value(text, element, here, start, home | {first})


def _of_value(text: str, node: YamlNode, path: Path, start: int, home: frozenset[int]) -> Iterator[Mutant]:
    """The value replaced by others; `start` is where the text before it ends."""
    end = _end(node)
    space = " " if text[start - 1] == ":" else ""
    own = home | {node.start_mark.line + 1} if not _is_block(node) else home
    for kind, value in [*RETYPED.items(), *_near(node)]:
        if isinstance(node, yaml.ScalarNode) and value == node.value:
            continue
        changed = _put(text, start, end, space + value)
        lines = home | {changed.count("\n", 0, start) + 1}
        yield Mutant(kind, path, changed, lines, value)
    if isinstance(node, yaml.MappingNode):
        yield from _of_map(text, node, path, own)
    elif isinstance(node, yaml.SequenceNode):
        yield from _of_list(text, node, path, own)


def _near(node: YamlNode) -> Iterator[tuple[str, str]]:
    """Values of the same type that a slip makes."""
    if not isinstance(node, yaml.ScalarNode) or node.style in ("'", '"'):
        return
    try:
        number = float(node.value)
    except ValueError:
        if node.value.startswith("${"):
            yield "unknown_variable", node.value.replace("}", "s}")
        else:
            yield "misspelt", node.value[:-1] if len(node.value) > 3 else node.value + "x"
            yield "empty", '""'
        return
    whole = number == int(number) and "." not in node.value and "e" not in node.value
    yield "negated", f"{-int(number)}" if whole else f"{-number!r}"
    yield "zero", "0" if whole else "0.0"
    yield "broken", f"{number + 0.5!r}"
    yield "huge", f"{10**12}" if whole else "1.0e+12"
    yield "endless", f"{10**30}"
    yield "nan", ".nan"
    yield "times_a_thousand", f"{int(number) * 1000}" if whole else f"{number * 1000!r}"


# -- text ----------------------------------------------------------------------------------------------------


def _is_block(node: YamlNode) -> bool:
    return isinstance(node, yaml.CollectionNode) and not node.flow_style


def _end(node: YamlNode) -> int:
    """Where the last character of a value is; a block's end mark is that of the next token."""
    if _is_block(node):
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _put(text: str, start: int, end: int, new: str) -> str:
    return text[:start] + new + text[end:]


def _without(text: str, pieces: list[tuple[int, int]], index: int) -> str:
    """The text without one of its entries and what separates it from the next, or from the one before."""
    if index + 1 < len(pieces):
        return _put(text, pieces[index][0], pieces[index + 1][0], "")
    return _put(text, pieces[index - 1][1], pieces[index][1], "")


def _shifted(text: str, pieces: list[tuple[int, int]], index: int, home: frozenset[int]) -> frozenset[int]:
    """Where lines are after an entry was taken out."""
    gone = text.count("\n") - _without(text, pieces, index).count("\n")
    line = text.count("\n", 0, pieces[index][0]) + 1
    return frozenset(number - gone if number > line else number for number in home)
