"""Python and the packages: are they there, in the versions that specgen asks for?"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from specgen import __version__, locate
from specgen.doctor.check import Check

SECTION = "environment"


@dataclass(frozen=True, slots=True)
class Wanted:
    """The versions that specgen asks for, of Python and of packages."""

    python: SpecifierSet
    packages: tuple[Requirement, ...]


def wanted() -> Wanted:
    """What `pyproject.toml` of a checkout says, else what the installed package says."""
    project = locate.data_root() / "pyproject.toml"
    if project.is_file():
        table = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
        return _wanted(table["requires-python"], table["dependencies"])
    metadata = importlib.metadata.metadata("specgen")
    return _wanted(metadata["Requires-Python"] or "", importlib.metadata.requires("specgen") or [])


def _wanted(python: str, texts: Sequence[str]) -> Wanted:
    found = [Requirement(text) for text in texts]
    # `extra` is empty here: what only developers need is not asked for.
    here = [item for item in found if item.marker is None or item.marker.evaluate({"extra": ""})]
    return Wanted(SpecifierSet(python), tuple(sorted(here, key=lambda item: item.name.lower())))


def version_checks(asked: Wanted) -> Iterator[Check]:
    """One check for Python and one for each package."""
    python = platform.python_version()
    fits = asked.python.contains(python, prereleases=True)
    yield Check(
        SECTION,
        "ok" if fits else "error",
        f"Python {python} ({'in' if fits else 'not in'} {asked.python})",
        None if fits else "make an environment with another Python",
    )
    for requirement in asked.packages:
        yield _package(requirement)


def _package(requirement: Requirement) -> Check:
    hint = f"pip install '{requirement.name}{requirement.specifier}'"
    try:
        version = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return Check(SECTION, "error", f"{requirement.name} is not installed", hint)
    if not requirement.specifier.contains(version, prereleases=True):
        text = f"{requirement.name} {version} is installed, but {requirement.specifier} is needed"
        return Check(SECTION, "error", text, hint)
    return Check(SECTION, "ok", f"{requirement.name} {version} (in {requirement.specifier})", quiet=True)


def place_checks() -> Iterator[Check]:
    """Where specgen, the runtime and the schemas come from: they have to belong together."""
    package = Path(__file__).resolve().parents[1]
    yield Check(SECTION, "ok", f"specgen {__version__} from {package}")
    spec = importlib.util.find_spec("runtime")
    runtime = Path(spec.origin).resolve().parent if spec is not None and spec.origin is not None else None
    if runtime is None:
        yield Check(SECTION, "error", "`runtime` cannot be imported", "install specgen again")
    elif runtime.parent != package.parent:
        text = f"runtime from {runtime}, which is not beside specgen"
        yield Check(SECTION, "error", text, "look at PYTHONPATH and for another folder `runtime` here")
    else:
        yield Check(SECTION, "ok", f"runtime from {runtime}")
    yield Check(SECTION, "ok", f"schemas, templates and specs from {locate.data_root()}")
