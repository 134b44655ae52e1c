"""The size of the images that a loader gives, from its transforms."""

from __future__ import annotations

from dataclasses import dataclass

from specgen.document import Node, Path


@dataclass(frozen=True, slots=True)
class ImageSize:
    """(height, width) in pixels, and the path of the value that sets it."""

    height: int
    width: int
    path: Path

    def __str__(self) -> str:
        return f"{self.height} x {self.width}"


def loader_image_size(document: Node, loader: str) -> ImageSize | None:
    """The size after the last transform that fixes it: a crop, or a resize to a size. None without one."""
    path: Path = ("data", loader, "dataset", "transforms")
    transforms = document.get(*path)
    found: ImageSize | None = None
    for index, transform in enumerate(transforms.elements() if transforms else ()):
        if transform.type == "BevImgResize" and transform.plain_at("scales") is not None:
            found = None
        size = transform.plain_at("size")
        if transform.type in ("BevImgResize", "BevImgCrop") and size is not None:
            found = ImageSize(size[0], size[1], (*path, index, "size"))
    return found


def image_size(document: Node) -> ImageSize | None:
    """The size that the model sees: that of the first loader which fixes one."""
    sizes = (loader_image_size(document, name) for name, _ in document.at("data").items())
    return next((size for size in sizes if size is not None), None)


def stage_image_size(document: Node, stage: Node) -> ImageSize | None:
    """The size of the images that a stage is judged on, else the one that the model sees."""
    name = stage.plain_at("val_data_loader")
    size = loader_image_size(document, name) if isinstance(name, str) else None
    return size if size is not None else image_size(document)


def training_loader(document: Node) -> str:
    """The name of the loader that float training uses, else of the first loader."""
    named = document.plain_at("stages", "float", "data_loader")
    names = [name for name, _ in document.at("data").items()]
    return named if named in names else names[0]
