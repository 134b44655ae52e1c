"""The Python files of an experiment: functions of the units, put into the templates."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from specgen.document import Path
from specgen.emit.expressions import Writer
from specgen.emit.imports import Imports
from specgen.emit.layout import WIDTH, laid_out
from specgen.emit.literal import literal
from specgen.emit.templates import Templates
from specgen.emit.units import AUGMENT, DATA, MODEL, STAGES, TARGET, TASKS, Unit
from specgen.inference import Graph
from specgen.inference.features import Feature, show
from specgen.schemas import Schemas, children
from specgen.text_width import text_width

_DOCS = {
    MODEL: "The model; channels and strides that follow from other parts say from which.",
    TASKS: "Head, target, losses and decoder of each task.",
    DATA: "Datasets and loaders.",
    AUGMENT: "Augmentations: of the images in each dataset, and of the BEV feature.",
    TARGET: "What the experiment is meant to run on, and how it becomes fixed point.",
}
_MAPS_SHOWN = 8
EXPERIMENT_MODULES = frozenset(name.removesuffix(".py") for name in _DOCS)
# What runs a stage of each kind, and what it calls the function that builds the component.
_ENTRIES = {
    "trainer": ("runtime.training.stage_entry", "run_stage", "build_trainer"),
    "exporter": ("runtime.deployment.stage_entry", "run_tool", "build"),
    "predictor": ("runtime.deployment.stage_entry", "run_predictor", "build"),
    "checker": ("runtime.deployment.stage_entry", "run_tool", "build"),
    "compiler": ("runtime.deployment.stage_entry", "run_tool", "build"),
}
# Names that the templates use themselves, and one that annotations do.
_TAKEN = frozenset({"EXPERIMENT", "MARCH", "Path", "sys", "str", "list", "object"})


@dataclass(frozen=True, slots=True)
class Function:
    """One function as the templates print it."""

    name: str
    returns: str
    docstring: str
    body: str


def python_files(
    units: Mapping[Path, Unit],
    schemas: Schemas,
    graph: Graph,
    templates: Templates,
    spec: str,
    *,
    march: str,
    plugins: bool,
) -> dict[str, str]:
    """Text of each file by its name relative to the experiment."""
    result = {}
    for file in dict.fromkeys([*_DOCS, *(unit.file for unit in units.values())]):
        own = [unit for unit in units.values() if unit.file == file]
        taken = _TAKEN | EXPERIMENT_MODULES | {unit.function for unit in own}
        writer = Writer(file, schemas, dict(units), Imports(taken=taken))
        functions = [_function(unit, writer, graph) for unit in own]
        stage = file.removeprefix(STAGES).removesuffix(".py") if file.startswith(STAGES) else None
        if stage is not None:
            builder = own[0].function
            module, entry, argument = _ENTRIES[str(own[0].schema["x-kind"])]
            result[file] = templates.render(
                "stage.py.j2",
                spec=spec,
                stage=stage,
                stage_literal=literal(stage),
                functions=functions,
                entry=writer.imports.name(module, entry),
                argument=argument,
                builder=builder,
                plugins=plugins,
                imports=writer.imports.only(False, EXPERIMENT_MODULES).lines(),
                own_imports=writer.imports.only(True, EXPERIMENT_MODULES).lines("  # noqa: E402"),
            )
        else:
            result[file] = templates.render(
                "module.py.j2",
                spec=spec,
                title=_DOCS[file],
                constants={"MARCH": literal(march)} if file == TARGET else {},
                functions=functions,
                imports=writer.imports.only(False, EXPERIMENT_MODULES).lines(),
                own_imports=writer.imports.only(True, EXPERIMENT_MODULES).lines(),
            )
    return {file: _marked(text) for file, text in result.items()}


def _marked(text: str) -> str:
    """The text with the linter told of lines that a long path or name makes too long.

    It tolerates a line without any space by itself, and would object to being told.
    """
    return "\n".join(
        f"{line}  # noqa: E501" if text_width(line) > WIDTH and " " in line.strip() else line
        for line in text.split("\n")
    )


def _function(unit: Unit, writer: Writer, graph: Graph) -> Function:
    lead = "    return "
    body = laid_out(writer.unit(unit), indent=4, lead=len(lead))
    return Function(
        unit.function, writer.returns(unit), _docstring(_doc_lines(unit, writer.schemas, graph)), body
    )


def _doc_lines(unit: Unit, schemas: Schemas, graph: Graph) -> list[str]:
    """First line and further ones: what a part of the model gives, the units of what transforms are told."""
    lines = [unit.title or unit.function]
    for node in graph.nodes:
        if node.path == unit.path and node.features:
            lines.append(f"Gives {_maps(node.features)}.")
    if unit.node.is_list:
        lines += dict.fromkeys(_unit_lines(unit, schemas))
    return lines


def _maps(features: tuple[Feature, ...]) -> str:
    strides = {feature.stride for feature in features}
    if len(features) > _MAPS_SHOWN and len(strides) == 1:
        return f"{len(features)} maps of stride {strides.pop()}"
    return f"{show(features)} (channels@stride)"


def _unit_lines(unit: Unit, schemas: Schemas) -> Iterator[str]:
    """For each component of a list: which of its values are in which unit."""
    for _, component, part in children(schemas.view(unit.schema, unit.node), unit.node):
        view = schemas.view(part, component)
        quantities = [
            f"`{key}` in {schemas.view(schema)['x-unit']}"
            for key, child, schema in children(view, component)
            if "x-unit" in schemas.view(schema) and child.value is not None
        ]
        if quantities:
            yield f"{component.type}: {'; '.join(quantities)}."


def _docstring(lines: list[str]) -> str:
    def safe(text: str) -> str:
        text = "".join(c if c.isprintable() else " " for c in text)
        return text.replace("\\", "/").replace('"', "'").strip()

    first, *rest = (safe(line) for line in lines)
    if not rest and len(first) <= WIDTH - 10:
        return f'"""{first}"""'
    wrapped = textwrap.wrap(first, WIDTH - 7, subsequent_indent="    ", break_long_words=False)
    body = [
        piece
        for line in rest
        for piece in textwrap.wrap(line, WIDTH - 4, subsequent_indent="  ", break_long_words=False)
    ]
    text = [*wrapped, *([""] if body else []), *(f"    {line}" for line in body)]
    return "\n".join([f'"""{text[0]}', *text[1:], '    """'])
