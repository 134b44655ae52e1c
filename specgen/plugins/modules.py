"""`plugins`: modules of the user's project whose components a spec uses like those that come with specgen.

A module `parts.backbones` is found as a file below the project's root, and its schemas beside it, in
`schemas/<kind>/<type>.schema.json`. Nothing of it is imported: a build runs no code of a plugin.
"""

from __future__ import annotations

import keyword
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from specgen.diagnostic import Diagnostic, SpecError
from specgen.document import Node
from specgen.emit.lock import digest
from specgen.emit.python_files import EXPERIMENT_MODULES
from specgen.plugins.schema_files import BadSchema, read_plugin_schema
from specgen.schemas import BASE, SUFFIX, Schema, Schemas

PLUGINS = "plugins"


@dataclass(frozen=True, slots=True)
class Plugins:
    """What the modules of a spec's `plugins` bring.

    Attributes:
        modules: their dotted names.
        digests: of the source and schema files, by path below the project's root.
        schemas: of their components, by kind and type.
    """

    modules: tuple[str, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict)
    schemas: Mapping[tuple[str, str], Schema] = field(default_factory=dict)


def read_plugins(root: Node, schemas: Schemas, project: Path) -> Plugins:
    """The plugins that a spec names; what is no list of names is left to the schemas.

    Raises:
        SpecError: for a module or schema that is missing, wrong or clashes with another.
    """
    wrong: list[Diagnostic] = []
    digests: dict[str, str] = {}
    found: dict[tuple[str, str], Schema] = {}
    modules = dict(_named(root))
    for module, node in modules.items():
        if (why := _hidden(module)) is not None:
            hint = "give the file or folder another name"
            wrong.append(
                Diagnostic("E021", f"the module `{module}` cannot be imported: {why}", node.span, hint=hint)
            )
            continue
        source = _source(project, module)
        if source is None:
            wrong.append(_missing(module, node))
            continue
        digests[source.relative_to(project).as_posix()] = digest(_text(source))
        files = sorted((source.parent / "schemas").glob(f"*/*{SUFFIX}"))
        if not files:
            shown = (source.parent / "schemas").relative_to(project).as_posix()
            message = f"the plugin `{module}` has no schema"
            hint = f"put one into `{shown}/<kind>/<type>{SUFFIX}` for each component"
            wrong.append(Diagnostic("E022", message, node.span, hint=hint))
        own = 0
        for file in files:
            shown = file.relative_to(project).as_posix()
            kind, type_name = file.parent.name, file.name.removesuffix(SUFFIX)
            try:
                schema = read_plugin_schema(_text(file), kind, type_name, schemas)
            except BadSchema as error:
                wrong.append(Diagnostic("E024", f"`{shown}`: {error}", node.span))
                continue
            # Modules of one folder share its schemas: each has those whose class is inside it.
            owner = str(schema["x-class"]).rpartition(".")[0]
            if owner != module:
                if owner not in modules:
                    message = f"`{shown}`: `x-class` is `{schema['x-class']}`, which is not in `{module}`"
                    wrong.append(Diagnostic("E024", message, node.span))
                continue
            own += 1
            # Rules and inference know components by their names alone, whatever the kind.
            other = next((k for k in schemas.kinds() if schemas.component(k, type_name) is not None), None)
            double = next((k for k, name in found if name == type_name), None)
            if other is not None:
                message = f"`{shown}`: there is a {other.replace('_', ' ')} `{type_name}` already"
                hint = "give the component another name"
                wrong.append(Diagnostic("E023", message, node.span, hint=hint))
            elif double is not None:
                message = f"`{shown}`: another {double.replace('_', ' ')} of a plugin is named `{type_name}`"
                wrong.append(Diagnostic("E023", message, node.span))
            found[kind, type_name] = schema
            digests[shown] = digest(_text(file))
    if wrong:
        raise SpecError(*wrong)
    return Plugins(tuple(modules), digests, found)


def with_plugins(schemas: Schemas, plugins: Plugins) -> Schemas:
    """The schemas with the components of plugins: each kind's dispatcher knows them too."""
    documents = dict(schemas.documents)
    for (kind, type_name), schema in sorted(plugins.schemas.items()):
        documents[f"{kind}/{type_name}{SUFFIX}"] = schema
        documents[kind + SUFFIX] = _dispatching(documents[kind + SUFFIX], kind, type_name)
    return replace(schemas, documents=documents) if plugins.schemas else schemas


def _dispatching(dispatcher: Schema, kind: str, type_name: str) -> Schema:
    types = sorted([*dispatcher["properties"]["type"]["enum"], type_name])
    branch: dict[str, Any] = {
        "if": {"properties": {"type": {"const": type_name}}, "required": ["type"]},
        "then": {"$ref": f"{BASE}{kind}/{type_name}{SUFFIX}"},
    }
    properties = {**dispatcher["properties"], "type": {"enum": types}}
    return {**dispatcher, "properties": properties, "allOf": [*dispatcher["allOf"], branch]}


def _named(root: Node) -> Iterator[tuple[str, Node]]:
    section = root.get(PLUGINS)
    for node in section.elements() if section is not None else ():
        if isinstance(node.value, str) and all(part.isidentifier() for part in node.value.split(".")):
            yield node.value, node


def _source(project: Path, module: str) -> Path | None:
    """The file of a module or package, None when there is none below the project's root."""
    base = project.joinpath(*module.split("."))
    candidates = (base.with_name(base.name + ".py"), base / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)


def _hidden(module: str) -> str | None:
    """Why the stages of an experiment would not find a module of this name, None when they do."""
    if (word := next(filter(keyword.iskeyword, module.split(".")), None)) is not None:
        return f"`{word}` is a word of Python's own"
    top = module.split(".")[0]
    if top in EXPERIMENT_MODULES:
        return f"every experiment has a `{top}.py` of its own"
    return f"Python has a `{top}` of its own" if top in sys.stdlib_module_names else None


def _missing(module: str, node: Node) -> Diagnostic:
    path = module.replace(".", "/")
    message = f"there is no module `{module}` in this folder: neither `{path}.py` nor `{path}/__init__.py`"
    hint = "modules are looked for below the folder where specgen is started"
    return Diagnostic("E021", message, node.span, hint=hint)


def _text(path: Path) -> str:
    return path.read_bytes().decode(errors="replace")
