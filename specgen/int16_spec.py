"""A new spec that adds quantisation rules to another one, which stays as it is."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from specgen.emit.spec_yaml import scalar_yaml
from specgen.load import load
from specgen.sources import Sources
from specgen.value_text import value_text
from specgen.write import WriteError


def write_int16_spec(
    spec: Path, rules: Sequence[Mapping[str, Any]], new_spec: Path, *, why: str = ""
) -> None:
    """Write `new_spec`, which extends `spec`: with its rules of `quantization`, and `rules` after them.

    Args:
        spec: the spec that was calibrated.
        rules: as a spec writes them; the last of several that match a tensor decides.
        new_spec: is named after its file.
        why: where the rules come from, for the comment on the first line.

    Raises:
        SpecError: `spec` cannot be read.
        WriteError: there are no rules, or `new_spec` exists.
    """
    if not rules:
        raise WriteError("the plan proposes no rule: there is nothing to write")
    sources = Sources()
    old = load(spec, str(spec), sources).root.plain_at("quantization", "rules", default=[])
    extends = Path(os.path.relpath(spec.resolve(), new_spec.resolve().parent)).as_posix()
    lines = [
        f"# {spec.stem} with {len(rules)} tensor{'' if len(rules) == 1 else 's'} of int16"
        + (f", as {why} proposes." if why else "."),
        f"name: {scalar_yaml(new_spec.stem)}",
        f"extends: {scalar_yaml(extends)}",
        "",
        "quantization:",
        "  rules:",
        *(f"    - {value_text(rule)}" for rule in old),
        "    # Lists replace those of the spec that is extended: what follows is new.",
        *(f"    - {value_text(dict(rule))}" for rule in rules),
    ]
    try:
        with new_spec.open("x", encoding="utf-8", newline="\n") as file:
            file.write("\n".join(lines) + "\n")
    except FileExistsError:
        raise WriteError(f"`{new_spec}` exists already", "remove it, or choose another name") from None
    except OSError as error:
        raise WriteError(f"cannot write `{new_spec}`: {error.strerror or error}") from error
