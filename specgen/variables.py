"""`vars`: values that a spec writes once and uses as `${name}`.

A value that is `${name}` and nothing else becomes the variable's value, of whatever type; inside a longer
text the variable is put in as text. `$${` stands for a literal `${`. Variables may use other variables. Keys
are not searched.
"""

from __future__ import annotations

import re
from dataclasses import replace
from types import MappingProxyType

from specgen.diagnostic import Diagnostic, Span, SpecError
from specgen.did_you_mean import did_you_mean
from specgen.document import Node, dotted
from specgen.sources import Sources

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
MAX_VALUES = 100_000
_USE = re.compile(r"\$\$\{|\$\{([^{}]*)\}")
_WHOLE = re.compile(r"\$\{([^{}]*)\}\Z")


def substituted(root: Node, written: list[Node], sources: Sources) -> Node:
    """`root` without `vars`, each `${name}` replaced.

    `written` are the files' trees (and the `--set` values) as they were read: a variable that none of them
    uses is a mistake, while one whose last use a child spec replaced is not.

    Raises:
        SpecError: unknown, unused, badly named or circular variables, a map or list inside a text.
    """
    section = root.get("vars")
    if section is not None and not section.is_map:
        raise SpecError(Diagnostic("E012", "`vars` is a map of names to values", section.span))
    variables = dict(section.items()) if section is not None else {}
    expander = _Expander(variables, sources)
    for name, node in variables.items():
        if not NAME.match(name):
            place = node.key_span or node.span
            message = (
                f"`{name}` is no name for a variable: letters, digits and `_`, not starting with a digit"
            )
            expander.diagnostics.append(Diagnostic("E012", message, place))
    entries = {key: expander.expand(node, ()) for key, node in root.items() if key not in ("vars", "extends")}
    used = {name for tree in written for _, node in tree.walk() for name in _names(node)}
    for name in sorted(variables.keys() - used):
        place = variables[name].key_span or variables[name].span
        expander.diagnostics.append(
            Diagnostic("E016", f"the variable `{name}` is used nowhere", place, hint=did_you_mean(name, used))
        )
    if expander.diagnostics:
        raise SpecError(*dict.fromkeys(expander.diagnostics))
    return replace(root, value=MappingProxyType(entries))


def _names(node: Node) -> list[str]:
    return [name for name in _USE.findall(node.value) if name] if isinstance(node.value, str) else []


class _Expander:
    def __init__(self, variables: dict[str, Node], sources: Sources) -> None:
        self.variables = variables
        self.sources = sources
        self.diagnostics: list[Diagnostic] = []
        self.made = 0

    def expand(self, node: Node, inside: tuple[str, ...]) -> Node:
        """`node` with its variables replaced; `inside` are the variables whose value this is part of."""
        self.made += 1
        if self.made > MAX_VALUES:
            message = f"the variables expand to more than {MAX_VALUES} values"
            raise SpecError(*self.diagnostics, Diagnostic("E010", message, node.span))
        if node.is_map:
            return replace(node, value=MappingProxyType({k: self.expand(v, inside) for k, v in node.items()}))
        if node.is_list:
            return replace(node, value=tuple(self.expand(v, inside) for v in node.elements()))
        if not isinstance(node.value, str) or "${" not in node.value:
            return node
        if whole := _WHOLE.match(node.value):
            found = self._lookup(whole.group(1), node.span, inside)
            return node if found is None else self._placed(found, whole.group(1), node)
        return replace(node, value=self._formatted(node, node.value, inside))

    def _formatted(self, node: Node, text: str, inside: tuple[str, ...]) -> str:
        def put(use: re.Match[str]) -> str:
            if use.group(1) is None:
                return "${"
            found = self._lookup(use.group(1), node.span, inside)
            if found is None:
                return use.group(0)
            if not found.is_scalar or found.value is None or isinstance(found.value, bool):
                kind = "a map" if found.is_map else "a list" if found.is_list else "neither text nor a number"
                message = f"`{use.group(1)}` is {kind}, which cannot stand inside a text"
                place = self.variables[use.group(1)].span
                related = ((place, f"`{use.group(1)}` is set here"),)
                self.diagnostics.append(Diagnostic("E015", message, node.span, related))
            return str(found.value)

        return _USE.sub(put, text)

    def _lookup(self, name: str, span: Span, inside: tuple[str, ...]) -> Node | None:
        if name in inside:
            loop = " -> ".join(f"`{step}`" for step in (*inside[inside.index(name) :], name))
            self.diagnostics.append(Diagnostic("E014", f"the variables go round in a circle: {loop}", span))
            return None
        if name not in self.variables:
            hint = did_you_mean(name, set(self.variables))
            self.diagnostics.append(Diagnostic("E013", f"there is no variable `{name}`", span, hint=hint))
            return None
        return self.expand(self.variables[name], (*inside, name))

    def _placed(self, found: Node, name: str, use: Node) -> Node:
        """The variable's value at the place of its use, remembering where it was set."""
        self.sources.uses.setdefault(use.span, (dotted(("vars", name)), self.variables[name].span))
        return replace(_at(found, use.span), key_span=use.key_span)


def _at(node: Node, span: Span) -> Node:
    if node.is_map:
        return replace(node, span=span, value=MappingProxyType({k: _at(v, span) for k, v in node.items()}))
    if node.is_list:
        return replace(node, span=span, value=tuple(_at(v, span) for v in node.elements()))
    return replace(node, span=span)
