"""`specgen validate`: all that `specgen build` checks, without building."""

from __future__ import annotations

import sys

from specgen.cli.spec_argument import Format, FormatOption, SetOption, SpecArgument, reported, spec_path


def validate(spec: SpecArgument, sets: SetOption = None, style: FormatOption = Format.text) -> None:
    """Check a spec: its shape, its channels and strides, and the rules that no schema can say."""
    from specgen.pipeline import compiled

    path = spec_path(spec, style)
    found = reported(lambda sources: compiled(path, sources, tuple(sets or ())), style, consequence="")
    if style is Format.json:
        print("[]")
    print(f"`{spec}` is valid: experiment `{found.name}`", file=sys.stderr)
