"""`--set a.b.0.c=value`: a value changed from the command line, recorded in the lock."""

from __future__ import annotations

from dataclasses import dataclass, replace

from specgen.diagnostic import Diagnostic, Span, SpecError
from specgen.did_you_mean import did_you_mean
from specgen.document import Node, Path, dotted
from specgen.sources import COMMAND_LINE, Sources
from specgen.variables import WHOLE
from specgen.yaml_text import parse_yaml


@dataclass(frozen=True, slots=True)
class Assignment:
    """One `--set`: where to, the value, and the place of the path in the command line."""

    path: Path
    node: Node
    span: Span


def parse_assignments(texts: tuple[str, ...], sources: Sources) -> tuple[Assignment, ...]:
    """The `--set` options in the order given; the values are read as YAML.

    Raises:
        SpecError: for an option without `=` or with an empty path, and for a value that is no YAML.
    """
    sources.texts[COMMAND_LINE] = "\n".join(text.replace("\n", " ") for text in texts)
    result = []
    for number, text in enumerate(texts, start=1):
        text = text.replace("\n", " ")
        if any("\ud800" <= c <= "\udfff" for c in text):
            place = Span(COMMAND_LINE, number, 1, len(text) + 1)
            raise SpecError(Diagnostic("E002", "the option is not UTF-8 text", place))
        left, equals, right = text.partition("=")
        span = Span(COMMAND_LINE, number, 1, max(len(left), 1) + 1)
        steps = left.strip().split(".")
        if not equals or not all(steps):
            raise SpecError(
                Diagnostic(
                    "E017", f"`{text}` is not of the form `path=value`", span, hint="such as `model.x.0=2`"
                )
            )
        if steps[0] == "extends":
            message = "`extends` cannot be set: the files are read before"
            raise SpecError(Diagnostic("E018", message, span, hint="write it in the spec"))
        path = tuple(
            int(step) if step.isascii() and step.isdigit() and len(step) < 9 else step for step in steps
        )
        node = parse_yaml(right, COMMAND_LINE, line=number, column=len(left) + 2)
        result.append(Assignment(path, node, span))
    return tuple(result)


def assigned(root: Node, assignments: tuple[Assignment, ...]) -> Node:
    """`root` with the values set, each replacing what was there whole; a new key may be added to a map.

    Raises:
        SpecError: when the path leads nowhere.
    """
    for item in assignments:
        parent = _parent(root, item)
        step = item.path[-1]
        # `stride2channels.8` is a key of a map, `transforms.0` a place in a list.
        last = str(step) if parent.is_map else step
        if not parent.is_map and (parent.get(last) is None):
            raise _nowhere(item, len(item.path) - 1, parent)
        steps = _keys(root, item.path[:-1])
        old = parent.get(last)
        root = root.replace((*steps, last), replace(item.node, key_span=old.key_span if old else item.span))
    return root


def _parent(root: Node, item: Assignment) -> Node:
    node = root
    for index, step in enumerate(item.path[:-1]):
        found = node.get(str(step) if node.is_map else step)
        if found is None:
            raise _nowhere(item, index, node)
        node = found
    return node


def _keys(root: Node, path: Path) -> Path:
    keys: list[str | int] = []
    node = root
    for step in path:
        keys.append(str(step) if node.is_map else step)
        node = node.at(keys[-1])
    return tuple(keys)


def _nowhere(item: Assignment, index: int, node: Node) -> SpecError:
    known = [key for key, _ in node.items()]
    hint = did_you_mean(str(item.path[index]), known)
    if isinstance(node.value, str) and (variable := WHOLE.match(node.value)):
        place = dotted(("vars", variable.group(1), *item.path[index:]))
        hint = f"`{dotted(item.path[:index])}` is `{node.value}`: set `{place}`"
    if node.is_list:
        hint = f"`{dotted(item.path[:index])}` is a list of {len(node.elements())}, counted from 0"
    message = f"`{dotted(item.path[: index + 1])}` is not in the spec"
    return SpecError(Diagnostic("E018", message, item.span, hint=hint))
