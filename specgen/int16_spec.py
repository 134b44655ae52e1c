"""A new spec that adds quantisation rules to another one, which stays as it is."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from specgen.document import Node
from specgen.emit.spec_yaml import scalar_yaml
from specgen.load import load
from specgen.sources import Sources
from specgen.value_text import value_text
from specgen.write import WriteError


def write_int16_spec(
    spec: Path,
    rules: Sequence[Mapping[str, Any]],
    new_spec: Path,
    *,
    why: str = "",
    float_weights: str | None = None,
) -> None:
    """Write `new_spec`, which extends `spec`: with its rules of `quantization`, and `rules` after them.

    The new experiment has no float run of its own: its calibration starts from `float_weights`.

    Args:
        spec: the spec that was calibrated.
        rules: as a spec writes them; the last of several that match a tensor decides.
        new_spec: is named after its file.
        why: where the rules come from, for the comment on the first line.
        float_weights: file, from the project's root, that the calibration of `spec` has loaded; None where it
            loaded a file that the spec names.

    Raises:
        SpecError: `spec` cannot be read.
        WriteError: there are no rules, or `new_spec` exists.
    """
    if not rules:
        raise WriteError("the plan proposes no rule: there is nothing to write")
    sources = Sources()
    root = load(spec, str(spec), sources).root
    old = root.plain_at("quantization", "rules", default=[])
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
        *_calibration(root, float_weights),
    ]
    try:
        with new_spec.open("x", encoding="utf-8", newline="\n") as file:
            file.write("\n".join(lines) + "\n")
    except FileExistsError:
        raise WriteError(f"`{new_spec}` exists already", "remove it, or choose another name") from None
    except OSError as error:
        raise WriteError(f"cannot write `{new_spec}`: {error.strerror or error}") from error


def _calibration(root: Node, float_weights: str | None) -> list[str]:
    """The converters of the calibration, with a file where the stage `float` was named."""
    place = ("stages", "calibration", "model_convert_pipeline", "converters")
    converters = root.plain_at(*place, default=[])
    if float_weights is None or not converters:
        return []
    lines = ["", "stages:", "  calibration:", "    model_convert_pipeline:", "      converters:"]
    for converter in converters:
        if converter.get("type") == "LoadCheckpoint" and "stage" in converter:
            rest = {key: value for key, value in converter.items() if key not in ("type", "stage")}
            converter = {"type": "LoadCheckpoint", "checkpoint_path": float_weights, **rest}
        lines.append(f"        - {value_text(converter)}")
    return lines
