"""`specgen validate`: all that `specgen build` checks, without building."""

from __future__ import annotations

import sys

from specgen.cli.spec_argument import Format, FormatOption, SetOption, SpecArgument, reported, spec_path


def validate(spec: SpecArgument, sets: SetOption = None, style: FormatOption = Format.text) -> None:
    """Check a spec: its shape, its channels and strides, and the rules that no schema can say."""
    from specgen.pipeline import compiled

    found = reported(lambda sources: compiled(spec_path(spec), sources, tuple(sets or ())), style)
    if style is Format.json:
        print("[]")
    print(f"`{spec}` is valid: experiment `{found.name}`", file=sys.stderr)
