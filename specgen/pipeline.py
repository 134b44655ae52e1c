"""`load -> validate -> fill defaults -> infer -> check -> emit`: a spec to its experiment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from specgen import locate
from specgen.diagnostic import Diagnostic, SpecError
from specgen.document import Node, dotted
from specgen.emit.experiment import GeneratedExperiment, emit
from specgen.emit.templates import read_templates
from specgen.emit.units import unit_problems, units_of, without_class
from specgen.fill import arranged, filled, missing_derived
from specgen.inference import Graph, infer
from specgen.inference.plugin_maps import declared
from specgen.load import LoadedSpec, load
from specgen.message_places import placed
from specgen.plugins.consequences import without_consequences
from specgen.plugins.modules import Plugins, read_plugins, with_plugins
from specgen.rules import check
from specgen.schemas import Schemas, read_schemas
from specgen.sources import COMMAND_LINE, Sources
from specgen.validate import validate


@dataclass(frozen=True, slots=True)
class CompiledSpec:
    """A spec that is right: everything filled in, in the schemas' order, with the model's graph."""

    loaded: LoadedSpec
    root: Node
    graph: Graph
    schemas: Schemas
    plugins: Plugins

    @property
    def name(self) -> str:
        return str(self.root.plain_at("name"))


def compiled(
    path: Path,
    sources: Sources,
    sets: tuple[str, ...] = (),
    *,
    shown: str | None = None,
    project: Path | None = None,
) -> CompiledSpec:
    """Everything before emitting. `sources` is filled with the texts, also when this raises.

    `shown` is how the spec is named instead of by `shown_path`; `project` is the folder below which plugins
    lie, the current one by default.

    Raises:
        SpecError: with all mistakes that the step which found some can see.
    """
    loaded = load(path, shown or shown_path(path), sources, sets)
    plugins = read_plugins(loaded.root, _shipped_schemas(), project or Path.cwd())
    schemas = with_plugins(_shipped_schemas(), plugins)
    # A variable without use follows from another mistake, unless its name tells of a slip.
    slips = [diagnostic for diagnostic in loaded.unused if diagnostic.hint is not None]
    shape = without_consequences(validate(loaded.root, schemas), loaded.root)
    _stop_at([*shape, *slips] if shape else [], loaded.root, loaded)
    with declared(plugins.schemas):
        return _checked(loaded, schemas, plugins, slips)


def _checked(loaded: LoadedSpec, schemas: Schemas, plugins: Plugins, slips: list[Diagnostic]) -> CompiledSpec:
    """Defaults, what follows from other parts, and the rules, for a spec of the right shape."""
    inference = infer(filled(loaded.root, schemas))
    root = arranged(inference.document, schemas)
    units = units_of(root, schemas)
    # What a variable of a misspelt name was to replace is still there, and need not fit the rest.
    wrong = slips or [*loaded.unused, *inference.diagnostics, *check(root), *unit_problems(units)]
    if not wrong:
        wrong = without_class(root, schemas, units)
    if not wrong:
        wrong = [
            Diagnostic(
                "E403",
                f"`{dotted(place)}` is left out and cannot be derived",
                (component.get("type") or component).span,
                hint=f"it comes from: {source.rstrip('.')}",
            )
            for place, component, source in missing_derived(root, schemas)
        ]
    _stop_at(wrong, root, loaded)
    return CompiledSpec(loaded, root, inference.graph, schemas, plugins)


@cache
def _shipped_schemas() -> Schemas:
    return read_schemas(locate.schemas_folder())


def _stop_at(diagnostics: list[Diagnostic], root: Node, loaded: LoadedSpec) -> None:
    if diagnostics:
        raise SpecError(*placed(diagnostics, root, (COMMAND_LINE, *loaded.files)))


def generated(spec: CompiledSpec, data: Mapping[str, str] | None = None) -> GeneratedExperiment:
    """The experiment of a compiled spec; `data` are digests of packs, by loader, for the lock to pin."""
    return emit(
        root=spec.root,
        graph=spec.graph,
        loaded=spec.loaded,
        schemas=spec.schemas,
        templates=read_templates(locate.templates_folder()),
        data=data or {},
        plugins=spec.plugins,
    )


def shown_path(path: Path, project: Path | None = None) -> str:
    """How a spec is named in messages and generated text: relative to the current folder, or to `project`.

    Generated text must not depend on where a checkout or an installation lies. Specs that come with specgen
    are `specs/<name>.yaml` from everywhere, and a file outside the project goes by its name alone.
    """
    absolute = Path(os.path.abspath(path))
    root = locate.data_root()
    for start in (root / "specs", project or Path.cwd(), root):
        for place in (absolute, absolute.parent.resolve() / absolute.name):
            if place.is_relative_to(start):
                return place.relative_to(root if start == root / "specs" else start).as_posix()
    return absolute.name
