"""The difference of two specs as rows: what was written, and apart from it what follows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from specgen.diff.changes import Change, changes
from specgen.diff.side import Side
from specgen.diff.sizes import sizes
from specgen.document import Node, Path, dotted
from specgen.inference import Graph
from specgen.inference.features import show
from specgen.parameters import part_parameters
from specgen.sources import COMMAND_LINE
from specgen.value_text import value_text

_USE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_UNWRITTEN = ("extends",)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the report.

    Attributes:
        name: a path, or the name of a part.
        old: before, None when it was not there.
        new: after, None when it is not there any more.
        note: where it is written, or what it comes from.
    """

    name: str
    old: str | None
    new: str | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The difference of `old` and `new`, as the user named them.

    Attributes:
        written: values that were written differently.
        maps: parts of the model that give other feature maps, as channels@stride.
        parameters: parts of the model that learn another number of values, and all of them together
            where each can be counted.
        sizes: images and grids of another size.
        values: defaults and derived values that changed with it.
        uses: (variable, places that take it) of each variable that changed.
        problems: why not all that follows is known.
    """

    old: str
    new: str
    written: list[Row] = field(default_factory=list)
    maps: list[Row] = field(default_factory=list)
    parameters: list[Row] = field(default_factory=list)
    sizes: list[Row] = field(default_factory=list)
    values: list[Row] = field(default_factory=list)
    uses: list[tuple[str, list[str]]] = field(default_factory=list)
    problems: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether both are the same experiment, however it was written."""
        return not self.written and self.nothing_follows

    @property
    def nothing_follows(self) -> bool:
        return not (self.maps or self.parameters or self.sizes or self.values or self.uses)


def report(old: Side, new: Side) -> Report:
    """What differs between two specs; empty when they compile to the same experiment."""
    resolved = list(changes(old.root, new.root)) if old.full and new.full else None
    if resolved == []:
        return Report(old.name, new.name)
    written = list(_written(old, new))
    values: list[Row] = []
    uses: dict[str, list[str]] = {}
    for change in _following(resolved or [], written, old, new) if resolved is not None else ():
        place, names = _variables(change, old, new)
        through = sorted(_changed_variables(written) & _closure(names, old, new))
        for name in through:
            places = uses.setdefault(name, [])
            places += [place] if place not in places else []
        if not through:
            values.append(_value_row(change, new))
    values = _with_defaults_together(values)
    return Report(
        old.name,
        new.name,
        [_written_row(change, old, new) for change in written],
        list(_map_rows(old.graph, new.graph)) if old.graph and new.graph else [],
        list(_parameter_rows(old, new, old.graph, new.graph)) if old.graph and new.graph else [],
        list(_size_rows(old, new)) if old.graph and new.graph else [],
        values,
        [(f"vars.{name}", uses[name]) for name in sorted(uses)],
        tuple(f"`{side.name}` does not compile: {side.problem}" for side in (old, new) if side.problem),
    )


def _changed_variables(written: list[Change]) -> set[str]:
    return {str(change.path[1]) for change in written if change.path[0] == "vars" and len(change.path) > 1}


# -- written -------------------------------------------------------------------------------------------------


def _written(old: Side, new: Side) -> Iterator[Change]:
    """Differences of what was written that make a difference."""
    with_variables = not (old.resolved or new.resolved)
    before, after = (side.written if with_variables else side.substituted for side in (old, new))
    for change in changes(before, after):
        if change.path[0] in _UNWRITTEN:
            continue
        if change.path[0] != "vars" and old.full and new.full and _resolved_alike(change, old, new):
            continue
        yield change


def _resolved_alike(change: Change, old: Side, new: Side) -> bool:
    """Whether a value that is written differently is the same once everything is filled in."""
    before, after = old.root.get(*change.old_path), new.root.get(*change.new_path)
    if before is None or after is None:
        return before is after
    return not list(changes(before, after))


def _written_row(change: Change, old: Side, new: Side) -> Row:
    """A value that one side leaves out is shown as what it is there all the same."""
    texts = [
        value_text(node.plain(), variables=not side.resolved) if node is not None else _left_out(side, path)
        for side, node, path in ((old, change.old, change.old_path), (new, change.new, change.new_path))
    ]
    node = change.new or change.old
    assert node is not None
    return Row(dotted(change.path), texts[0], texts[1], _place(node))


def _place(node: Node) -> str:
    """File and line where a value is written, or `--set`."""
    if node.span.file == COMMAND_LINE:
        return COMMAND_LINE
    return (node.key_span or node.span).place.rpartition(":")[0]


def _left_out(side: Side, path: Path) -> str | None:
    """What a value is that nobody wrote: a default, or derived."""
    node = side.root.get(*path)
    if node is None or node.written or not side.full:
        return None
    return f"{value_text(node.plain())} ({origin(node)})"


# -- what follows --------------------------------------------------------------------------------------------


def _following(resolved: Iterable[Change], written: list[Change], old: Side, new: Side) -> Iterator[Change]:
    """The differences of the compiled specs that nobody wrote as such."""
    exact = {change.path for change in written}
    for change in resolved:
        if not any(change.path[: len(path)] == path for path in exact):
            yield change
    for change in written:
        after = new.root.get(*change.new_path)
        if change.new is not None and after is not None and after.is_map:
            yield from _unwritten_inside(after, change, old)


def _unwritten_inside(node: Node, change: Change, old: Side) -> Iterator[Change]:
    """Defaults and derived values of a component that came in, where they are not what was there before."""
    for path, child in node.walk():
        parent = node.get(*path[:-1])
        if not path or child.written or parent is None or not parent.written:
            continue
        before = old.root.get(*change.old_path, *path) if change.old is not None else None
        if before is None or list(changes(before, child)):
            yield Change((*change.old_path, *path), (*change.new_path, *path), before, child)


def _variables(change: Change, old: Side, new: Side) -> tuple[str, set[str]]:
    """Where a changed value, or what it is part of, is written with variables; and which."""
    for side, path in ((new, change.new_path), (old, change.old_path)):
        node: Node | None = side.written
        for length, step in enumerate((*path, ""), start=0):
            if node is None:
                break
            if isinstance(node.value, str):
                return dotted(path[:length]), set(_USE.findall(node.value))
            node = node.get(step)
    return dotted(change.path), set()


def _closure(names: set[str], *sides: Side) -> set[str]:
    """The variables and those that their values are made of."""
    found: set[str] = set()
    todo = set(names)
    while todo:
        name = todo.pop()
        found.add(name)
        for side in sides:
            node = side.written.get("vars", name)
            for _, part in node.walk() if node is not None else ():
                if isinstance(part.value, str):
                    todo |= set(_USE.findall(part.value)) - found
    return found


def _with_defaults_together(rows: list[Row]) -> list[Row]:
    """The defaults of a component that came in as one row, at the place of the first."""
    result: dict[tuple[str, str], Row] = {}
    for row in rows:
        parent, _, key = row.name.rpartition(".")
        if row.old is not None or not row.note.startswith("default"):
            result[row.name, ""] = row
            continue
        entry = f"{key}: {row.new}"
        known = result.get((parent, row.note))
        text = f"{known.new[:-1]}, {entry}}}" if known is not None and known.new else f"{{{entry}}}"
        result[parent, row.note] = Row(parent, None, text, row.note.replace("default", "defaults", 1))
    return list(result.values())


def _value_row(change: Change, new: Side) -> Row:
    old_text, new_text = (
        value_text(node.plain()) if node is not None else None for node in (change.old, change.new)
    )
    node = change.new if change.new is not None else change.old
    assert node is not None
    note = origin(node)
    if change.new is not None and note == "default" and (owner := new.root.get(*change.new_path[:-1])):
        note = f"default of {owner.type}" if owner.type else note
    return Row(dotted(change.path), old_text, new_text, note)


def origin(node: Node) -> str:
    """Where a value came from: `default`, `from model.backbone`, or nothing to say."""
    if node.origin.kind == "derived":
        return f"from {' '.join(node.origin.source.split())}"
    return "default" if node.origin.kind == "default" else ""


def _map_rows(old: Graph, new: Graph) -> Iterator[Row]:
    before = {node.name: node for node in old.nodes}
    after = {node.name: node for node in new.nodes}
    for name in dict.fromkeys([*after, *before]):
        maps = [show(nodes[name].features) if name in nodes else None for nodes in (before, after)]
        if maps[0] != maps[1]:
            yield Row(name, maps[0], maps[1])


def _parameter_rows(old: Side, new: Side, old_graph: Graph, new_graph: Graph) -> Iterator[Row]:
    """Parts that learn another number of values; all together only where every part can be counted."""
    before, after = _counts(old, old_graph), _counts(new, new_graph)
    for name in dict.fromkeys([*after, *before]):
        if name not in before or name not in after or before[name] != after[name]:
            yield Row(name, _counted(name, before), _counted(name, after))
    counted = [[count for count in side.values() if count is not None] for side in (before, after)]
    total = sum(counted[0]), sum(counted[1])
    if list(map(len, counted)) == [len(before), len(after)] and total[0] != total[1]:
        change = f"{100 * (total[1] / total[0] - 1):+.1f} %" if total[0] else ""
        yield Row("together", f"{total[0]:,}", f"{total[1]:,}", change)


def _counts(side: Side, graph: Graph) -> dict[str, int | None]:
    """Learned numbers of each part of the model, None where the compiler cannot count them."""
    counts = part_parameters(side.root, graph)
    return {node.name: counts.get(node.name) for node in graph.nodes if node.path}


def _counted(name: str, counts: Mapping[str, int | None]) -> str | None:
    number = counts.get(name)
    return None if name not in counts else "unknown" if number is None else f"{number:,}"


def _size_rows(old: Side, new: Side) -> Iterator[Row]:
    before, after = sizes(old.root), sizes(new.root)
    for name in dict.fromkeys([*after, *before]):
        if before.get(name) != after.get(name):
            yield Row(name, before.get(name), after.get(name))
