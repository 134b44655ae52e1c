"""The command that builds an experiment, for hints and for the headers of generated files."""

from __future__ import annotations

import shlex
from collections.abc import Iterable


def build_arguments(spec: str, sets: Iterable[str] = ()) -> str:
    """The spec and its `--set` values, quoted for a shell: `specs/a.yaml --set march=nash-e`."""
    return " ".join([shlex.quote(spec), *(f"--set {shlex.quote(text)}" for text in sets)])


def build_command(spec: str, sets: Iterable[str] = (), out: str | None = None) -> str:
    """The whole command; `out` is the folder where it is not the one of the spec's name."""
    command = f"specgen build {build_arguments(spec, sets)}"
    return command if out is None else f"{command} --out {shlex.quote(out)}"
