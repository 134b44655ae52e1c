"""The text of a new spec: it extends another one, and hints at what one changes first."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from specgen.document import Node, Path
from specgen.printable import printable
from specgen.value_text import value_text

SCHEMA_LINE = "# yaml-language-server: $schema="


@dataclass(frozen=True, slots=True)
class Hint:
    """A value that one changes first: where it is, and what to say of it. `value` instead of today's."""

    path: Path
    remark: str
    value: str | None = None


HINTS = (
    Hint(("march",), "the chip"),
    Hint(("vars", "bev_size"), "half range in y, half range in x, metres per cell"),
    Hint(("vars", "batch_size_per_gpu"), "samples"),
    Hint(("model", "backbone"), "another backbone; everything after it follows", "{type: resnet, depth: 18}"),
    Hint(("stages", "float", "optimizer", "lr"), "learning rate"),
    Hint(("stages", "float", "num_epochs"), "times that all training samples are seen"),
)


def new_spec(name: str, *, extends: str, schema: str, parent: Node, parent_name: str) -> str:
    """The text of a spec `name`.

    Args:
        extends: path of the spec to start from, relative to the new one.
        schema: path or URL of the spec's schema, for editors.
        parent: what is written in the spec to start from, with its variables.
        parent_name: how commands name it.
    """
    shown = printable(shlex.quote(parent_name))
    lines = [
        f"{SCHEMA_LINE}{schema}",
        "#",
        "# Say here in a sentence what this experiment is for.",
        f"name: {name}",
        f"extends: {value_text(extends, variables=True)}",
        "",
        "# What one changes first, with the values of today: take `# ` away from the lines to change.",
        "# `specgen explain PATH` says what a value is, such as `specgen explain model.backbone`;",
        f"# `specgen diff {shown} specs/{name}.yaml` shows your changes and what follows from them.",
        "#",
    ]
    return "\n".join([*lines, *(f"# {line}".rstrip() for line in hint_lines(parent))]) + "\n"


def hint_lines(parent: Node) -> list[str]:
    """YAML of the hints that apply to the spec to start from."""
    lines: list[str] = []
    open_path: Path = ()
    for hint in HINTS:
        node = parent.get(*hint.path)
        if node is None:
            continue
        for depth, key in enumerate(hint.path[:-1]):
            if open_path[: depth + 1] != hint.path[: depth + 1]:
                lines.append(f"{'  ' * depth}{key}:")
        open_path = hint.path[:-1]
        text = hint.value or value_text(node.plain(), variables=True)
        lines.append(f"{'  ' * len(open_path)}{hint.path[-1]}: {text}  # {hint.remark}")
    return lines
