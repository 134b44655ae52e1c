"""Where schemas, templates and ready specs lie: the root of a checkout, or `specgen/_data` in a wheel.

The chips lie with runtime, which stands beside specgen in both.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


@cache
def data_root() -> Path:
    """The folder that holds `schemas/`, `templates/` and `specs/`.

    Raises:
        FileNotFoundError: when the installation is incomplete.
    """
    for root in (_PACKAGE / "_data", _PACKAGE.parent):
        if (root / "schemas" / "spec.schema.json").is_file():
            return root
    raise FileNotFoundError(
        f"no `schemas/spec.schema.json` beside `{_PACKAGE}`: the installation is incomplete"
    )


def schemas_folder() -> Path:
    return data_root() / "schemas"


def templates_folder() -> Path:
    return data_root() / "templates"


def march_names() -> tuple[str, ...]:
    """The chips that runtime comes with, a file each, in alphabetical order."""
    return tuple(sorted(path.stem for path in _marches_folder().glob("*.json")))


def march_file(name: str) -> Path:
    """The file of a chip of `march_names`."""
    return _marches_folder() / f"{name}.json"


def _marches_folder() -> Path:
    return _PACKAGE.parent / "runtime" / "bpu" / "marches"


def ready_specs() -> dict[str, Path]:
    """The specs that come with specgen, by name."""
    return {path.stem: path for path in sorted((data_root() / "specs").glob("*.yaml"))}
