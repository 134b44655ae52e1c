"""Feature maps of components that plugins bring, as their schemas declare them in `x-out-features`.

What is declared holds while one spec is compiled; the compiler knows nothing else of a plugin's classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from specgen.document import Node, Path
from specgen.inference.features import Config, Feature
from specgen.inference.necks import NoSuchMap
from specgen.plugins.schema_files import INPUT, OUT_FEATURES
from specgen.schemas import Schema

Declared = Mapping[tuple[str, str], Schema]
_DECLARED: ContextVar[Declared] = ContextVar("declared", default={})  # noqa: B039 - never changed in place


@contextmanager
def declared(schemas: Declared) -> Iterator[None]:
    """Within it, components of these schemas are known, by kind and type."""
    token = _DECLARED.set(schemas)
    try:
        yield
    finally:
        _DECLARED.reset(token)


def plugin_maps(kind: str, config: Config, inputs: list[Feature]) -> list[Feature]:
    """The maps that a component of a plugin gives.

    Raises:
        NoSuchMap: its schema does not say.
    """
    schema = _DECLARED.get().get((kind, config["type"]), {})
    source = inputs[0]
    maps = [
        Feature(
            _number(item["channels"], config, source.channels),
            source.stride * _number(item["stride"], config, 1),
        )
        for item in schema.get(OUT_FEATURES, [])
    ]
    if not maps:
        raise NoSuchMap
    return maps


def takes(document: Node, path: Path) -> bool:
    """Whether the component at the parent of `path` has such a property; all that come with specgen do."""
    component = document.get(*path[:-1])
    type_name = component.type if component is not None else None
    schemas = [schema for (_, name), schema in _DECLARED.get().items() if name == type_name]
    return not schemas or any(path[-1] in schema["properties"] for schema in schemas)


def _number(value: int | str, config: Config, of_input: int) -> int:
    """A number as it is, that of a property, or the input's."""
    if isinstance(value, int):
        return value
    if value == INPUT:
        return of_input
    number = config.get(value)
    if type(number) is not int:
        raise NoSuchMap
    return number
