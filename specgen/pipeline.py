"""`load -> validate -> fill defaults -> infer -> check -> emit`: a spec to its experiment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from specgen import locate
from specgen.diagnostic import Diagnostic, SpecError
from specgen.document import Node, dotted
from specgen.emit.experiment import GeneratedExperiment, emit
from specgen.emit.templates import read_templates
from specgen.emit.units import unit_problems, units_of, without_class
from specgen.fill import arranged, filled, missing_derived
from specgen.inference import Graph, infer
from specgen.load import LoadedSpec, load
from specgen.rules import check
from specgen.schemas import Schemas, read_schemas
from specgen.sources import Sources
from specgen.validate import validate


@dataclass(frozen=True, slots=True)
class CompiledSpec:
    """A spec that is right: everything filled in, in the schemas' order, with the model's graph."""

    loaded: LoadedSpec
    root: Node
    graph: Graph
    schemas: Schemas

    @property
    def name(self) -> str:
        return str(self.root.plain_at("name"))


def compiled(path: Path, sources: Sources, sets: tuple[str, ...] = ()) -> CompiledSpec:
    """Everything before emitting. `sources` is filled with the texts, also when this raises.

    Raises:
        SpecError: with all mistakes that the step which found some can see.
    """
    loaded = load(path, shown_path(path), sources, sets)
    schemas = read_schemas(locate.schemas_folder())
    _stop_at(validate(loaded.root, schemas))
    inference = infer(filled(loaded.root, schemas))
    root = arranged(inference.document, schemas)
    units = units_of(root, schemas)
    wrong = [*inference.diagnostics, *check(root), *unit_problems(units)]
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
    _stop_at(wrong)
    return CompiledSpec(loaded, root, inference.graph, schemas)


def _stop_at(diagnostics: list[Diagnostic]) -> None:
    if diagnostics:
        raise SpecError(*dict.fromkeys(diagnostics))


def generated(spec: CompiledSpec) -> GeneratedExperiment:
    """The experiment of a compiled spec."""
    return emit(
        root=spec.root,
        graph=spec.graph,
        loaded=spec.loaded,
        schemas=spec.schemas,
        templates=read_templates(locate.templates_folder()),
    )


def shown_path(path: Path) -> str:
    """How a spec is named in messages and generated text: relative to the current folder.

    Generated text must not depend on where a checkout or an installation lies. Specs that come with specgen
    are `specs/<name>.yaml` from everywhere, and a file outside the current folder goes by its name alone.
    """
    absolute = Path(os.path.abspath(path))
    root = locate.data_root()
    for start in (root / "specs", Path.cwd(), root):
        if absolute.is_relative_to(start):
            base = root if start == root / "specs" else start
            return absolute.relative_to(base).as_posix()
    return absolute.name
