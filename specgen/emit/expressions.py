"""Values of the spec as expressions of the generated Python, and the imports that they need."""

from __future__ import annotations

from dataclasses import dataclass, field

from specgen.document import Node, Path
from specgen.emit.imports import Imports
from specgen.emit.layout import Atom, Bracket, Expression, Item, bracket
from specgen.emit.literal import literal
from specgen.emit.units import Unit
from specgen.schemas import Schema, Schemas, children


@dataclass(frozen=True)
class Writer:
    """Writes the expressions of one file; `imports` collects what they use."""

    file: str
    schemas: Schemas
    units: dict[Path, Unit]
    imports: Imports = field(default_factory=Imports)

    def unit(self, unit: Unit) -> Expression:
        """The value of a unit, which is written out here."""
        return self._value(unit.path, unit.node, unit.schema)

    def returns(self, unit: Unit) -> str:
        """Return annotation of the unit's function, with ` -> `; nothing when the component says none."""
        if unit.node.is_list:
            self.imports.name("collections.abc", "Callable")
            return " -> list[Callable[..., object]]"
        view = self.schemas.view(unit.schema, unit.node)
        module, _, name = view.get("x-returns", view["x-class"]).rpartition(".")
        if not name[0].isupper():
            return ""  # a function that does not say what it returns
        return f" -> {self.imports.name(module, name)}"

    def _child(self, path: Path, node: Node, schema: Schema) -> Expression:
        """A value inside another: a call of its own function where it has one."""
        unit = self.units.get(path)
        return self._value(path, node, schema) if unit is None else Atom(f"{self._function(unit)}()")

    def _function(self, unit: Unit) -> str:
        if unit.file == self.file:
            return unit.function
        if unit.path == ("model",):
            return self.imports.name(unit.module, unit.function)
        return f"{self.imports.module(unit.module)}.{unit.function}"

    def _value(self, path: Path, node: Node, schema: Schema) -> Expression:
        view = self.schemas.view(schema, node)
        if "x-ref" in view and node.value is not None:
            return self._reference(view["x-ref"], str(node.value))
        if ("x-kind" in view or "x-class" in view) and node.is_map:
            return self._call(path, node, view)
        if node.is_list:
            items = tuple(
                Item(self._child((*path, step), child, part)) for step, child, part in children(view, node)
            )
            return bracket("(", items, ")") if view.get("x-tuple") else bracket("[", items, "]")
        if node.is_map:
            entries = []
            for key, child, part in children(view, node):
                name = str(int(key)) if view.get("x-int-keys") else literal(key)
                comment = "" if _comment(node) else _comment(child)
                entries.append(Item(self._child((*path, key), child, part), f"{name}: ", comment))
            return bracket("{", tuple(entries), "}")
        return Atom(literal(node.value))

    def _reference(self, section: str, name: str) -> Expression:
        """What a stage uses of another section: its function, settings that it returns, the march's name."""
        if section == "march":
            return Atom(f"{self.imports.module('target')}.MARCH")
        target: Path = ("data", name) if section == "data_loader" else (section,)
        function = self._function(self.units[target])
        return Atom(f"{function}()" if section == "quantization" else function)

    def _call(self, path: Path, node: Node, view: Schema) -> Expression:
        module, _, name = view["x-class"].rpartition(".")
        arguments = tuple(
            Item(
                self._child((*path, key), child, part), f"{key}=", "" if "x-ref" in part else _comment(child)
            )
            for key, child, part in children(view, node)
            if key != "type"
        )
        return Bracket(f"{self.imports.name(module, name)}(", arguments, ")", tall=True)


def _comment(node: Node) -> str:
    # The source is the compiler's own text, but a line break in it would end the comment.
    return "from " + " ".join(node.origin.source.split()) if node.origin.kind == "derived" else ""
