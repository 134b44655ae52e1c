"""Which part of the spec becomes which function of which file: one file for each section."""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterator
from dataclasses import dataclass

from specgen.diagnostic import Diagnostic
from specgen.document import Node, Path, dotted
from specgen.schemas import Schema, Schemas, children

MODEL, TASKS, DATA, AUGMENT, TARGET = "model.py", "tasks.py", "data.py", "augment.py", "target.py"
STAGES = "stages/"


@dataclass(frozen=True, slots=True)
class Unit:
    """A part of the spec that has a function of its own.

    Attributes:
        path: where it is in the spec.
        node: its value: a component, a list of components, or a map that is written as a call.
        schema: of the value, not yet looked up for the component's type.
        file: generated file, relative to the experiment.
        function: name of the function.
        title: what it is, for the docstring.
        task: name of the task that it belongs to, if to one.
    """

    path: Path
    node: Node
    schema: Schema
    file: str
    function: str
    title: str
    task: str | None = None

    @property
    def module(self) -> str:
        """How other files of the experiment import it."""
        return self.file.removesuffix(".py").replace("/", ".")


def units_of(root: Node, schemas: Schemas) -> dict[Path, Unit]:
    """All units by path, each before those inside it."""
    return {unit.path: unit for unit in _units(root, schemas.top, schemas, ())}


def _units(node: Node, schema: Schema, schemas: Schemas, path: Path) -> Iterator[Unit]:
    place = _place(path, node, schema, schemas)
    if place is not None:
        task = str(node.plain_at("name")) if place[0] == TASKS else None
        yield Unit(path, node, schema, *place, task=task)
    for step, child, part in children(schemas.view(schema, node), node):
        inner: Path = (*path, step)
        if len(path) > 1 and path[:2] == ("model", "bev_decoders") and isinstance(step, str):
            yield from _task_part(inner, child, part, schemas, node)
        yield from _units(child, part, schemas, inner)


def _place(path: Path, node: Node, schema: Schema, schemas: Schemas) -> tuple[str, str, str] | None:
    """File, function and title of what is at `path`, None when it is written inside its parent."""
    match path:
        case ("quantization",):
            return TARGET, "quantization", str(schemas.view(schema)["description"])
        case ("model",):
            return MODEL, "build_model", "The whole model."
        case ("model", "bev_transforms") if node.elements():
            return AUGMENT, "bev", "Augmentations of the BEV feature in training, in order."
        case ("model", "bev_decoders", int()):
            name = str(node.plain_at("name"))
            return TASKS, name, f"The task `{name}`."
        case ("model", str(part)) if schemas.view(schema).get("x-kind") and node.is_map:
            return MODEL, f"build_{part}", _described(node, schema, schemas)
        case ("data", str(name)):
            return DATA, f"{name}_loader", f"Batches of `{name}`."
        case ("data", str(name), "dataset"):
            return DATA, f"{name}_dataset", f"Samples of `{name}`."
        case ("data", str(name), "dataset", "transforms") if node.elements():
            return AUGMENT, name, f"Transforms of `{name}`, in order."
        case ("stages", str(name)) if "x-class" in schemas.view(schema, node):
            return f"{STAGES}{name}.py", f"build_{schema['x-kind']}", _described(node, schema, schemas)
    return None


def _task_part(path: Path, node: Node, schema: Schema, schemas: Schemas, decoder: Node) -> Iterator[Unit]:
    """Head, target, losses and decoder of a task."""
    if len(path) == 4 and "x-kind" in schema and node.is_map:
        name = str(decoder.plain_at("name"))
        yield Unit(path, node, schema, TASKS, f"{name}_{path[-1]}", _described(node, schema, schemas), name)


def _described(node: Node, schema: Schema, schemas: Schemas) -> str:
    return str(schemas.view({"x-kind": schema["x-kind"]}, node).get("description", ""))


def without_class(root: Node, schemas: Schemas, units: dict[Path, Unit]) -> list[Diagnostic]:
    """Components that would have to be written out and that this version has no class for."""
    return [
        Diagnostic(
            "E404",
            f"this version can check `{node.type}` in a spec, but has nothing that runs it",
            node.at("type").span,
        )
        for path, node in _classless(root, schemas.top, schemas, ())
        if path[0] != "stages" or path[:2] in units
    ]


def _classless(node: Node, schema: Schema, schemas: Schemas, path: Path) -> Iterator[tuple[Path, Node]]:
    view = schemas.view(schema, node)
    if "x-kind" in schema and node.is_map and "x-class" not in view:
        yield path, node
    for step, child, part in children(view, node):
        yield from _classless(child, part, schemas, (*path, step))


def unit_problems(units: dict[Path, Unit]) -> list[Diagnostic]:
    """Names of the spec that cannot be names of functions, or would be those of two."""
    found: list[Diagnostic] = []
    first: dict[tuple[str, str], Unit] = {}
    for unit in units.values():
        span = (unit.node.get("name") or unit.node).span
        if unit.path[0] != "model":
            span = unit.node.key_span or span
        if (
            keyword.iskeyword(unit.function)
            or (unit.function in vars(builtins))
            or not unit.function.isidentifier()
        ):
            message = f"`{unit.function}` cannot be the name of a Python function in `{unit.file}`"
            found.append(Diagnostic("E401", message, span, hint="choose another name"))
        other = first.setdefault((unit.file, unit.function), unit)
        # Two tasks of one name are two names of functions for each of their parts: a rule reports it, once.
        if other is not unit and unit.task is not None and unit.task == other.task:
            continue
        if other is not unit:
            both = f"`{dotted(unit.path)}` and `{dotted(other.path)}`"
            message = f"{both} would both be `{unit.function}` in `{unit.file}`"
            place = (other.node.get("name") or other.node).span
            related = ((place, "the other one"),) if place != span else ()
            found.append(Diagnostic("E402", message, span, related, "choose another name for one of them"))
    return found
