"""The import lines of a generated file, sorted as ruff sorts them in this repository."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

from specgen.emit.layout import WIDTH, Atom, Item, bracket, laid_out

FIRST_PARTY = "runtime"


@dataclass(frozen=True)
class Imports:
    """What a file imports: whole modules, and names of modules under the name that the file uses.

    Attributes:
        modules: imported whole.
        names: the name that the file uses, by module and name.
        taken: names that the file uses for something else.
    """

    modules: set[str] = field(default_factory=set)
    names: dict[tuple[str, str], str] = field(default_factory=dict)
    taken: frozenset[str] = frozenset()

    def module(self, module: str) -> str:
        """`import module`; returns the name to use."""
        self.modules.add(module)
        return module

    def name(self, module: str, name: str) -> str:
        """`from module import name`; returns the name to use, a new one if it is taken."""
        if (module, name) not in self.names:
            taken = self.taken.union(self.names.values())
            alias, number = name, 2
            while alias in taken:
                alias, number = f"{name}{number}", number + 1
            self.names[module, name] = alias
        return self.names[module, name]

    def only(self, local: bool, experiment_modules: frozenset[str]) -> Imports:
        """The imports of the experiment's own modules (`local`), or the others."""
        return Imports(
            {module for module in self.modules if (module in experiment_modules) == local},
            {key: alias for key, alias in self.names.items() if (key[0] in experiment_modules) == local},
        )

    def lines(self, suffix: str = "") -> list[str]:
        """The import statements in groups, an empty line between them; `suffix` goes to the end of each."""
        groups: list[list[str]] = []
        for number in range(3):
            plain = [
                f"import {module}{suffix}" for module in sorted(self.modules) if _group(module) == number
            ]
            by_module: dict[str, list[tuple[str, str]]] = {}
            for (module, name), alias in self.names.items():
                if _group(module) == number:
                    by_module.setdefault(module, []).append((name, alias))
            froms = [_from(module, by_module[module]) + suffix for module in sorted(by_module)]
            if plain or froms:
                groups.append(plain + froms)
        return [line for index, group in enumerate(groups) for line in (["", *group] if index else group)]


def _group(module: str) -> int:
    """0 for the standard library, 2 for what generated code calls, 1 for everything else."""
    top = module.split(".")[0]
    return 0 if top in sys.stdlib_module_names else 2 if top == FIRST_PARTY else 1


def _from(module: str, names: list[tuple[str, str]]) -> str:
    def order(item: tuple[str, str]) -> tuple[int, str]:
        name = item[0]
        return (0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2), name

    shown = [name if name == alias else f"{name} as {alias}" for name, alias in sorted(names, key=order)]
    start = f"from {module} import "
    flat = start + ", ".join(shown)
    if len(flat) <= WIDTH:
        return flat
    return start + laid_out(
        bracket("(", tuple(Item(Atom(name)) for name in shown), ")"), indent=0, lead=len(start)
    )
