"""The whole experiment out of a compiled spec: names and texts of its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from specgen import __version__
from specgen.build_command import build_arguments
from specgen.document import Node
from specgen.emit.lock import LOCK, digest, lock_text
from specgen.emit.python_files import python_files
from specgen.emit.readme import readme
from specgen.emit.spec_yaml import spec_yaml
from specgen.emit.templates import Templates
from specgen.emit.units import units_of
from specgen.inference import Graph
from specgen.load import LoadedSpec
from specgen.plugins.modules import Plugins
from specgen.printable import printable
from specgen.schemas import BASE, SUFFIX, TOP, Schema, Schemas, children


@dataclass(frozen=True, slots=True)
class GeneratedExperiment:
    """Texts by file name relative to the experiment's folder, the lock among them."""

    name: str
    files: Mapping[str, str]


def emit(
    *,
    root: Node,
    graph: Graph,
    loaded: LoadedSpec,
    schemas: Schemas,
    templates: Templates,
    data: Mapping[str, str],
    plugins: Plugins,
) -> GeneratedExperiment:
    """All files of the experiment; the same for the same arguments, whatever the machine, folder or time."""
    spec = printable(loaded.shown)
    source = printable(build_arguments(loaded.shown, loaded.sets)) if loaded.sets else spec
    units = units_of(root, schemas)
    files = python_files(
        units,
        schemas,
        graph,
        templates,
        source,
        march=str(root.plain_at("march")),
        plugins=bool(plugins.modules),
    )
    files["spec.yaml"] = templates.render("spec.yaml.j2", spec=source, text=spec_yaml(root))
    files["README.md"] = readme(root, graph, units, schemas, templates, source)
    files[LOCK] = lock_text(
        version=__version__,
        spec=spec,
        sets=loaded.sets,
        tables={
            "specs": {file: digest(text) for file, text in loaded.files.items()},
            "schemas": {
                name: schemas.digests[name]
                for name in _schemas_used(root, schemas.top, schemas) | {TOP}
                if name in schemas.digests
            },
            "templates": templates.digests(),
            **({"plugins": plugins.digests} if plugins.modules else {}),
            **({"data": data} if data else {}),
            "files": {name: digest(text) for name, text in files.items()},
        },
    )
    return GeneratedExperiment(str(root.plain_at("name")), dict(sorted(files.items())))


def _schemas_used(node: Node, schema: Schema, schemas: Schemas) -> set[str]:
    """Schema files of what the spec holds; changes of others make no difference to it."""
    used = set()
    if "x-kind" in schema and node.type is not None:
        used.add(f"{schema['x-kind']}/{node.type}{SUFFIX}")
    elif "$ref" in schema:
        used.add(schema["$ref"].removeprefix(BASE).partition("#")[0])
    for _, child, part in children(schemas.view(schema, node), node):
        used |= _schemas_used(child, part, schemas)
    return used
