"""Which places a spec can have: from a dotted path to the properties that it can mean, and back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from specgen.did_you_mean import close_to
from specgen.document import Path, dotted
from specgen.schemas import Schema, Schemas, child_schema

ANY = "*"
"""Stands for a name that the spec chooses, or for the number of a list's element."""

_LONGEST_LIST = 12


class NoSuchPlace(Exception):
    """The path leads nowhere; `hint` says what it may have meant."""

    def __init__(self, message: str, hint: str | None) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Place:
    """One thing that a path can mean.

    Attributes:
        schema: of the value at the path.
        owner: (kind, type) of the component that has it as a property; None outside of components.
        types: (path of a component, its type) for each component on the way.
        required: whether its owner must have it.
    """

    schema: Schema
    owner: tuple[str, str] | None = None
    types: tuple[tuple[Path, str], ...] = ()
    required: bool = False


def parsed(text: str) -> Path:
    """`model.bev_decoders.0.head` as a path; numbers are those of list elements, or keys."""
    return tuple(
        int(step) if step.isascii() and step.isdigit() and len(step) < 9 else step for step in text.split(".")
    )


def places(path: Path, schemas: Schemas) -> list[Place]:
    """All that `path` can mean: one place for each choice of components on the way, several of which may lead
    to the same property of the same component.

    Raises:
        NoSuchPlace: when no choice leads to the end.
    """
    found = [Place(schemas.top)]
    for index, step in enumerate(path):
        here = [variant for place in found for variant in _variants(place, path[:index], schemas)]
        found = [place for variant in here if (place := _child(variant, step)) is not None]
        if not found:
            raise _no_such(path, index, here)
    return found


def _variants(place: Place, path: Path, schemas: Schemas) -> Iterator[Place]:
    """The place with its schema looked up: one for each type where it holds a component."""
    kind = place.schema.get("x-kind")
    if kind is not None:
        for name in schemas.types(kind):
            component = schemas.component(kind, name)
            assert component is not None
            yield Place(component, (kind, name), (*place.types, (path, name)))
        return
    view = schemas.view(place.schema)
    for option in view.get("anyOf", [view]):
        yield Place(schemas.view(option), place.owner, place.types)


def _child(place: Place, step: str | int) -> Place | None:
    is_list = "items" in place.schema or "prefixItems" in place.schema
    if is_list != (isinstance(step, int) or step == ANY) and not _has_free_keys(place.schema, step):
        return None
    schema = child_schema(
        place.schema, step if is_list and isinstance(step, int) else 0 if is_list else str(step)
    )
    if not schema:
        return None
    return Place(schema, place.owner, place.types, step in place.schema.get("required", ()))


def _has_free_keys(schema: Schema, step: str | int) -> bool:
    """Whether a number or `*` can be a key of the map, such as a stride."""
    free = "patternProperties" in schema or isinstance(schema.get("additionalProperties"), dict)
    return free or str(step) in schema.get("properties", {})


def _no_such(path: Path, index: int, here: list[Place]) -> NoSuchPlace:
    step, parent = path[index], dotted(path[:index]) or "a spec"
    known = list(dict.fromkeys(key for place in here for key in place.schema.get("properties", {})))
    is_list = any("items" in place.schema or "prefixItems" in place.schema for place in here)
    whole = dotted((*path[:index], 0, *path[index:]))
    if is_list and not isinstance(step, int):
        return NoSuchPlace(f"`{parent}` is a list, and `{step}` no number of an element", f"write `{whole}`")
    if not known and any("object" in place.schema.get("type", ()) for place in here):
        return NoSuchPlace(f"what is in `{parent}` is up to the spec: no schema says more of it", None)
    if not known:
        return NoSuchPlace(f"`{parent}` holds a value without parts, so there is no `{dotted(path)}`", None)
    title = f"`{parent}`" if index else parent
    meant = close_to(str(step), known)
    if meant:
        corrected = dotted((*path[:index], meant, *path[index + 1 :]))
        return NoSuchPlace(f"{title} has no key `{step}`", f"did you mean `{corrected}`?")
    shown = ", ".join(f"`{key}`" for key in known[:_LONGEST_LIST]) + (
        ", ..." if len(known) > _LONGEST_LIST else ""
    )
    return NoSuchPlace(f"{title} has no key `{step}`", f"its keys are {shown}")


def component_places(schemas: Schemas) -> dict[str, list[str]]:
    """By kind, the paths at which a component of that kind can stand, `*` for names and elements."""
    found: dict[str, list[str]] = {}
    _collect(schemas.top, schemas, (), (), found)
    return found


def _collect(
    schema: Schema, schemas: Schemas, path: Path, kinds: tuple[str, ...], found: dict[str, list[str]]
) -> None:
    kind = schema.get("x-kind")
    views = [schemas.view(schema)]
    if kind is not None:
        here = found.setdefault(kind, [])
        if dotted(path) in here or kind in kinds:
            return
        here.append(dotted(path))
        views = [component for name in schemas.types(kind) if (component := schemas.component(kind, name))]
        kinds = (*kinds, kind)
    for view in views:
        for key, part in view.get("properties", {}).items():
            _collect(part, schemas, (*path, key), kinds, found)
        for key in ("additionalProperties", "items"):
            if isinstance(view.get(key), dict):
                _collect(view[key], schemas, (*path, ANY), kinds, found)
        for option in view.get("anyOf", ()):
            _collect(option, schemas, path, kinds, found)
