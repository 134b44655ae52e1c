"""Rules on units: an angle that was written in the other one of the two that are in use."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

from specgen.angles import DEGREES, RADIANS, in_other_unit
from specgen.document import Node, Path, dotted
from specgen.rules.components import loader_transforms
from specgen.rules.finding import Finding
from specgen.value_text import value_text

ANGLES = MappingProxyType({("BevImgRotate", "rot"): DEGREES, ("BevRotate", "rot"): RADIANS})
"""The unit of each property that is a range of angles."""
_LEAST_DEGREES = 0.5


def angles_are_in_their_unit(document: Node) -> Iterator[Finding]:
    """A range of angles is written in the unit of its property: degrees for images, radians for the grid."""
    lists = [
        *loader_transforms(document),
        (("model", "bev_transforms"), document.at("model", "bev_transforms")),
    ]
    for path, transforms in lists:
        for index, transform in enumerate(transforms.elements()):
            for (type_name, key), unit in ANGLES.items():
                node = transform.get(key) if transform.type == type_name else None
                if node is not None and node.written and _looks_like_the_other(node.plain(), unit):
                    yield _finding((*path, index, key), node, unit)


def _looks_like_the_other(angles: list[float], unit: str) -> bool:
    """Less than half a degree turns nothing that can be seen; radians are hardly ever whole numbers."""
    largest = max(abs(angle) for angle in angles)
    if unit == DEGREES:
        return 0 < largest < _LEAST_DEGREES
    return largest >= 1 and all(angle == int(angle) for angle in angles)


def _finding(path: Path, node: Node, unit: str) -> Finding:
    other = RADIANS if unit == DEGREES else DEGREES
    return Finding(
        f"`{dotted(path)}` is {value_text(node.plain())} in {unit}, which looks like {other}",
        node.span,
        hint=in_other_unit(node.plain(), unit),
    )
