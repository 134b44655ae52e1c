"""What a place of the spec is, as text for a terminal: for `specgen explain model.backbone.model_type`."""

from __future__ import annotations

import textwrap

from specgen.document import Node, Path, dotted
from specgen.property_text import PropertyText, property_text
from specgen.schemas import Schemas
from specgen.spec_places import Place, component_places
from specgen.value_text import value_text

_LABEL = 10


def place_text(path: Path, found: list[Place], schemas: Schemas, width: int) -> str:
    """Everything the schemas say of a path that `places` found."""
    kinds = {place.schema.get("x-kind") for place in found}
    blocks = _blocks(path, found, schemas, width)
    if len(kinds) == 1 and (kind := kinds.pop()) is not None:
        blocks.append(kind_text(kind, schemas, width))
        blocks.append("\n".join(_wrapped(f"`specgen explain {dotted(path)}.KEY` says more of a key.", width)))
    return "\n\n".join(blocks)


def component_text(kind: str, name: str, schemas: Schemas, width: int) -> str:
    """A component with its keys: for `specgen explain resnet`."""
    component = schemas.component(kind, name) or {}
    lines = _wrapped(f"{name}: {component.get('description', '')}", width)
    lines += ["", *_row("kind", f"`{kind}`", width)]
    lines += _row("stands at", _listed(component_places(schemas).get(kind, [])), width)
    required = component.get("required", ())
    keys = [key for key in component.get("properties", {}) if key != "type"]
    if keys:
        lines += ["", "keys"]
    for key in keys:
        words = property_text(component["properties"][key], schemas, required=key in required)
        lines += _wrapped(f"  {key}: {words.description} {_short(words)}".rstrip(), width, hang=6)
    return "\n".join(lines)


def _blocks(path: Path, found: list[Place], schemas: Schemas, width: int) -> list[str]:
    """One block of text for each different thing that the path can mean, with the types that it is of."""
    grouped: dict[PropertyText, list[Place]] = {}
    for place in found:
        grouped.setdefault(property_text(place.schema, schemas, required=place.required), []).append(place)
    blocks = []
    for words, group in grouped.items():
        lines = [*_wrapped(f"{dotted(path)}: {words.description}".rstrip(": "), width), ""]
        lines += _facts(words, width)
        lines += _owner_rows(path, group, schemas, width)
        blocks.append("\n".join(lines))
    return blocks


def _facts(words: PropertyText, width: int) -> list[str]:
    lines = _row("type", words.shape, width)
    lines += _row("unit", words.unit, width)
    if words.derived:
        lines += _row("derived", f"{words.derived}; a written value is checked against it", width)
    if words.default is not None:
        lines += _row("default", words.default, width)
    if words.required:
        lines += _row("needed", "it has no default", width)
    return lines


def _short(words: PropertyText) -> str:
    """Default, source or need of a property, in parentheses."""
    unit = f"{words.unit}; " if words.unit else ""
    if words.required:
        return f"({unit}needed)"
    if words.derived:
        return f"({unit}derived)"
    return f"({unit}default {words.default})" if words.default is not None else f"({unit}may be left out)"


def kind_text(kind: str, schemas: Schemas, width: int) -> str:
    """The components of a kind, each with its keys."""
    lines = [f"types of {kind}"]
    for name in schemas.types(kind):
        component = schemas.component(kind, name) or {}
        keys = [key for key in component.get("properties", {}) if key != "type"]
        lines += _wrapped(f"  {name}: {component.get('description', '')}", width, hang=6)
        lines += _wrapped(f"      keys: {', '.join(keys) or 'none'}", width, hang=12)
    return "\n".join(lines)


def _owner_rows(path: Path, group: list[Place], schemas: Schemas, width: int) -> list[str]:
    """Of which components it is a key, where else these can stand, which others have such a key."""
    owners = list(dict.fromkeys(place.owner for place in group if place.owner is not None))
    if not owners:
        return []
    component = group[0].types[-1][0]
    key, inside = str(path[len(component)]), path[len(component) :]
    kind = owners[0][0]
    others = [name for name in schemas.types(kind) if not _has(kind, name, key, schemas)]
    text = _listed([f"{name} ({kind})" for kind, name in owners])
    lines = _row("key of" if len(inside) == 1 else "inside", text, width)
    lines += _row("not of", _listed(others), width)
    at = [place for place in component_places(schemas).get(kind, []) if not _fits(component, place)]
    lines += _row("also at", _listed([f"{place}.{dotted(inside)}" for place in at]), width)
    return lines + _row("also in", _listed(_namesakes(key, kind, schemas)), width)


def _has(kind: str, name: str, key: str, schemas: Schemas) -> bool:
    return key in (schemas.component(kind, name) or {}).get("properties", {})


def _fits(path: Path, pattern: str) -> bool:
    wanted = pattern.split(".")
    return len(wanted) == len(path) and all(a in ("*", str(b)) for a, b in zip(wanted, path, strict=True))


def _namesakes(key: str, kind: str, schemas: Schemas) -> list[str]:
    """Components of other kinds that have a key of this name."""
    return [
        f"{name} ({other})"
        for other in schemas.kinds()
        for name in schemas.types(other)
        if other != kind and key != "type" and _has(other, name, key, schemas)
    ]


def value_lines(spec: str, path: Path, node: Node | None, root: Node, width: int) -> list[str]:
    """The value at the path in one spec, and where it came from."""
    if node is None:
        return _wrapped(f"in {spec}: {_absence(path, root)}", width)
    value = value_text(node.plain())
    return [*_wrapped(f"in {spec}: {value}", width, hang=4), f"    {origin_text(node)}"]


def origin_text(node: Node) -> str:
    """Where a value came from, in words."""
    if node.origin.kind == "default":
        return "by default"
    if node.origin.kind == "derived":
        return f"from {' '.join(node.origin.source.split())}"
    return f"written at {node.span.place}"


def _absence(path: Path, root: Node) -> str:
    for length in range(len(path) - 1, -1, -1):
        parent = root.get(*path[:length])
        if parent is not None:
            kind = f" is of the type `{parent.type}`, which" if parent.type else ""
            return f"`{dotted(path[:length]) or 'the spec'}`{kind} has no `{path[length]}`"
    return "not there"


def places_of_key(key: str, schemas: Schemas) -> list[str]:
    """The paths at which some component can have a key of this name."""
    at = component_places(schemas)
    return [
        f"{place}.{key}".replace("data.*", "data.train").replace(".*", ".0")
        for kind in schemas.kinds()
        if any(
            key in (schemas.component(kind, name) or {}).get("properties", {}) for name in schemas.types(kind)
        )
        for place in at.get(kind, [])
    ]


def _listed(words: list[str]) -> str:
    return ", ".join(words)


def _row(label: str, text: str, width: int) -> list[str]:
    """`label     text`, wrapped under the text; nothing for an empty text."""
    if not text:
        return []
    return _wrapped(f"{label:<{_LABEL}}{text}", width, hang=_LABEL)


def _wrapped(text: str, width: int, hang: int = 0) -> list[str]:
    return textwrap.wrap(
        text, width, subsequent_indent=" " * hang, break_long_words=False, break_on_hyphens=False
    )
