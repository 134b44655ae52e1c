"""`vars`: values that a spec writes once and uses as `${name}`.

A value that is `${name}` and nothing else becomes the variable's value, of whatever type; inside a longer
text the variable is put in as text. `$${` stands for a literal `${`. Variables may use other variables. Keys
are not searched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from specgen.diagnostic import Diagnostic, Span, SpecError
from specgen.did_you_mean import close_to, did_you_mean
from specgen.document import Node
from specgen.yaml_text import MAX_DEPTH

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
MAX_VALUES = 20_000
MAX_TEXT = 10_000
_USE = re.compile(r"\$\$\{|\$\{([^{}]*)\}")
WHOLE = re.compile(r"\$\{([^{}]*)\}\Z")


@dataclass(frozen=True, slots=True)
class Substituted:
    """A spec without `vars`, and what is odd about these: variables that nothing uses.

    Those are no reason to stop: a use may be missing only because of another mistake.
    """

    root: Node
    unused: tuple[Diagnostic, ...]


def substituted(root: Node, written: list[Node]) -> Substituted:
    """`root` without `vars`, each `${name}` replaced.

    `written` are the files' trees (and the `--set` values) as they were read: a variable that none of them
    uses is a mistake, while one whose last use a child spec replaced is not.

    Raises:
        SpecError: unknown, badly named or circular variables, a map or list inside a text.
    """
    section = root.get("vars")
    slip = next((key for key, _ in root.items() if section is None and close_to(key, ["vars"])), None)
    if slip is not None:
        place = root.at(slip).key_span or root.at(slip).span
        raise SpecError(
            Diagnostic("E102", f"the spec has no key `{slip}`", place, hint="did you mean `vars`?")
        )
    if section is not None and not section.is_map:
        raise SpecError(Diagnostic("E012", "`vars` is a map of names to values", section.span))
    variables = dict(section.items()) if section is not None else {}
    expander = _Expander(variables)
    for name, node in variables.items():
        if not NAME.match(name):
            place = node.key_span or node.span
            message = (
                f"`{name}` is no name for a variable: letters, digits and `_`, not starting with a digit"
            )
            expander.diagnostics.append(Diagnostic("E012", message, place))
    entries = {key: expander.expand(node) for key, node in root.items() if key not in ("vars", "extends")}
    used = {name for tree in written for _, node in tree.walk() for name in _names(node)}
    unused = {name: variables[name] for name in sorted(variables.keys() - used)}
    found = [*expander.diagnostics, *_in_texts(expander), *_unknown(expander, unused)]
    strange = tuple(_unused(name, node, variables, used) for name, node in unused.items())
    if found:
        raise SpecError(*dict.fromkeys([*found, *strange]))
    return Substituted(replace(root, value=MappingProxyType(entries)), strange)


def _names(node: Node) -> list[str]:
    return [name for name in _USE.findall(node.value) if name] if isinstance(node.value, str) else []


@dataclass
class _Expander:
    """Replaces variables, and notes what cannot be.

    `unknown` and `in_text` are places by name: of variables that do not exist, and of those that stand
    inside a text and are none; `whole` are names that stand alone somewhere.
    """

    variables: dict[str, Node]
    diagnostics: list[Diagnostic] = field(default_factory=list)
    unknown: dict[str, list[Span]] = field(default_factory=dict)
    in_text: dict[str, list[Span]] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)
    made: int = 0

    def expand(self, node: Node, inside: tuple[str, ...] = (), depth: int = 1) -> Node:
        """`node` with its variables replaced; `inside` are the variables whose value this is part of, `depth`
        its place in the spec."""
        self.made += 1
        if depth + len(inside) > MAX_DEPTH:
            message = f"more than {MAX_DEPTH} levels of nesting, with the variables put in"
            raise SpecError(*self.diagnostics, Diagnostic("E010", message, node.span))
        if self.made > MAX_VALUES:
            message = f"the variables expand to more than {MAX_VALUES} values"
            raise SpecError(*self.diagnostics, Diagnostic("E010", message, node.span))
        if node.is_map:
            return replace(
                node, value=MappingProxyType({k: self.expand(v, inside, depth + 1) for k, v in node.items()})
            )
        if node.is_list:
            return replace(node, value=tuple(self.expand(v, inside, depth + 1) for v in node.elements()))
        if not isinstance(node.value, str) or "${" not in node.value:
            return node
        if whole := WHOLE.match(node.value):
            self.whole.add(whole.group(1))
            found = self._lookup(whole.group(1), node.span, inside, depth)
            return node if found is None else replace(_at(found, node.span), key_span=node.key_span)
        return replace(node, value=self._formatted(node, node.value, inside, depth))

    def _formatted(self, node: Node, text: str, inside: tuple[str, ...], depth: int) -> str:
        def put(use: re.Match[str]) -> str:
            if use.group(1) is None:
                return "${"
            found = self._lookup(use.group(1), node.span, inside, depth)
            if found is None:
                return use.group(0)
            if not found.is_scalar or found.value is None or isinstance(found.value, bool):
                self.in_text.setdefault(use.group(1), []).append(node.span)
                return ""
            return str(found.value)

        made = _USE.sub(put, text)
        if len(made) > MAX_TEXT:
            message = f"with its variables this text has more than {MAX_TEXT} characters"
            raise SpecError(*self.diagnostics, Diagnostic("E010", message, node.span))
        return made

    def _lookup(self, name: str, span: Span, inside: tuple[str, ...], depth: int) -> Node | None:
        if name in inside:
            loop = " -> ".join(f"`{step}`" for step in (*inside[inside.index(name) :], name))
            self.diagnostics.append(Diagnostic("E014", f"the variables go round in a circle: {loop}", span))
            return None
        if name not in self.variables:
            self.unknown.setdefault(name, []).append(span)
            return None
        return self.expand(self.variables[name], (*inside, name), depth)


def _at(node: Node, use: Span) -> Node:
    """A variable's value at the place of its use, each part remembering where it was written."""
    span = replace(use, written=node.span.written or node.span)
    if node.is_map:
        return replace(node, span=span, value=MappingProxyType({k: _at(v, use) for k, v in node.items()}))
    if node.is_list:
        return replace(node, span=span, value=tuple(_at(v, use) for v in node.elements()))
    return replace(node, span=span)


# -- mistakes ------------------------------------------------------------------------------------------------


def _in_texts(expander: _Expander) -> list[Diagnostic]:
    """Values that cannot stand inside a text: one message a variable when it stands nowhere else."""
    found = []
    for name, places in expander.in_text.items():
        node = expander.variables[name]
        kind = "a map" if node.is_map else "a list" if node.is_list else "neither text nor a number"
        message = f"`{name}` is {kind}, which cannot stand inside a text"
        if name not in expander.whole and node.is_scalar:
            found.append(Diagnostic("E015", message, node.span, (_used_at(places),)))
            continue
        related = ((node.span, f"`{name}` is set here"),)
        found += [Diagnostic("E015", message, place, related) for place in dict.fromkeys(places)]
    return found


def _unknown(expander: _Expander, unused: dict[str, Node]) -> list[Diagnostic]:
    """Variables that do not exist; an unused one that looks alike is taken out of `unused`, as explained."""
    found = []
    for name, places in expander.unknown.items():
        places = list(dict.fromkeys(places))
        meant = close_to(name, unused)
        if meant is not None and len(places) > 1:
            message = f"the variable `{meant}` is used nowhere, and `{name}` is not set"
            key = unused.pop(meant).key_span
            assert key is not None
            found.append(
                Diagnostic("E016", message, key, (_used_at(places),), hint=f"did you mean `{name}`?")
            )
            continue
        related: tuple[tuple[Span, str], ...] = ()
        if meant is not None:
            key = unused.pop(meant).key_span
            assert key is not None
            related = ((key, "set here, and used nowhere"),)
            hint: str | None = f"did you mean `{meant}`?"
        else:
            hint = did_you_mean(name, expander.variables)
        if len(places) > 1:
            related = (_used_at(places[1:], "also used here"),)
        found.append(Diagnostic("E013", f"there is no variable `{name}`", places[0], related, hint))
    return found


def _unused(name: str, node: Node, variables: dict[str, Node], used: set[str]) -> Diagnostic:
    place = node.key_span or node.span
    # A name that the same file sets as well was meant as what it is.
    others = [
        other
        for other in used
        if other not in variables or (variables[other].key_span or place).file != place.file
    ]
    return Diagnostic(
        "E016", f"the variable `{name}` is used nowhere", place, hint=did_you_mean(name, others)
    )


def _used_at(places: list[Span], text: str = "used here") -> tuple[Span, str]:
    """The first of the places, with how many more there are."""
    more = len(dict.fromkeys(places)) - 1
    return places[0], text + (f", and in {more} more place{'s' if more > 1 else ''}" if more else "")
