"""Rows of the thirteen nuScenes tables.

Each worker makes the rows of its scene (`SceneRows`); the tables that all scenes share are made once.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Final

from runtime.data.synthetic.categories import ATTRIBUTES, CATEGORIES, VISIBILITIES
from runtime.geometry.camera import CAMERA_NAMES

Row = dict[str, Any]

SENSORS: Final[tuple[tuple[str, str], ...]] = (
    *((name, "camera") for name in CAMERA_NAMES),
    ("LIDAR_TOP", "lidar"),
)
MAP_FILES: Final[dict[str, str]] = {
    # The devkit looks the semantic prior of a location up under these file names.
    "singapore-onenorth": "53992ee3023e5494b90c316c183be829",
    "singapore-hollandvillage": "37819e65e09e5547b8a3ceaefba56bb2",
    "singapore-queenstown": "93406b464a165eaba6d9de76ca09f5da",
    "boston-seaport": "36092f0b03a857c6a3403e25b4b7aab3",
}
LOCATIONS: Final[tuple[str, ...]] = tuple(MAP_FILES)
"""The four map names that the devkit knows."""


def token(*parts: object) -> str:
    """A token of 32 hex digits that depends on nothing but its parts."""
    return hashlib.md5("/".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


@dataclass
class SceneRows:
    """The rows that one scene adds to the tables."""

    log: list[Row] = field(default_factory=list)
    scene: list[Row] = field(default_factory=list)
    sample: list[Row] = field(default_factory=list)
    sample_data: list[Row] = field(default_factory=list)
    ego_pose: list[Row] = field(default_factory=list)
    calibrated_sensor: list[Row] = field(default_factory=list)
    instance: list[Row] = field(default_factory=list)
    sample_annotation: list[Row] = field(default_factory=list)


def shared_tables() -> dict[str, list[Row]]:
    """category, attribute, visibility and sensor: the same in every synthetic world."""
    return {
        "category": [
            {"token": token("category", c.name), "name": c.name, "description": ""} for c in CATEGORIES
        ],
        "attribute": [
            {"token": token("attribute", name), "name": name, "description": text}
            for name, text in ATTRIBUTES
        ],
        "visibility": [
            {"token": key, "level": level, "description": f"visibility {level[1:]} percent of the object"}
            for key, level, _ in VISIBILITIES
        ],
        "sensor": [
            {"token": token("sensor", channel), "channel": channel, "modality": modality}
            for channel, modality in SENSORS
        ],
    }


def map_table(log_tokens: dict[str, list[str]]) -> list[Row]:
    """One row for each location, with the tokens of its logs."""
    return [
        {
            "token": token("map", location),
            "category": "semantic_prior",
            "filename": f"maps/{MAP_FILES[location]}.png",
            "log_tokens": log_tokens.get(location, []),
        }
        for location in LOCATIONS
    ]


def link(rows: list[Row]) -> None:
    """Fill `prev` and `next` of rows that follow each other, "" at both ends."""
    for row, before, after in zip(rows, [None, *rows[:-1]], [*rows[1:], None], strict=True):
        row["prev"] = before["token"] if before else ""
        row["next"] = after["token"] if after else ""
