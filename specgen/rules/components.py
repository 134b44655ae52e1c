"""Where the components of a spec are."""

from __future__ import annotations

from collections.abc import Iterator

from specgen.document import Node, Path


def decoders(document: Node, type_name: str | None = None) -> Iterator[tuple[Path, Node]]:
    """The task decoders of the model with their paths, of one type or of all."""
    for index, decoder in enumerate(document.at("model", "bev_decoders").elements()):
        if type_name is None or decoder.type == type_name:
            yield ("model", "bev_decoders", index), decoder


def loaders(document: Node) -> Iterator[tuple[str, Node]]:
    """The data loaders by name."""
    yield from document.at("data").items()


def loader_transforms(document: Node) -> Iterator[tuple[Path, Node]]:
    """The list of image transforms of every loader, with its path."""
    for name, loader in loaders(document):
        yield ("data", name, "dataset", "transforms"), loader.at("dataset", "transforms")


def stages(document: Node) -> Iterator[tuple[str, Node]]:
    """The training stages by name."""
    yield from document.at("stages").items()


def converters(stage: Node) -> tuple[Node, ...]:
    """What a stage does to the model before it begins."""
    found = stage.get("model_convert_pipeline", "converters")
    return found.elements() if found else ()
