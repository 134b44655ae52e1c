"""Map lines around the car, from the nuScenes map expansion.

The classes are those of HDMapNet (Li et al., ICRA 2022): dividers are the lines of road and lane dividers,
crossings are the two long edges of each crossing, boundaries are the contours of the union of road segments
and lanes.

The devkit rebuilds every polygon of a map for each patch. Here each layer is built once a location, with an
STRtree, and a patch costs a few milliseconds. The union is formed once as well, over the whole map: clipping
its contours gives the contours of the clipped union, without the patch's own edges.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from runtime.errors import RunError

if TYPE_CHECKING:
    from nuscenes.map_expansion.map_api import NuScenesMap

Array = NDArray[np.float64]

MAP_RADIUS: Final = 60.0
"""Half side in metres of the square around the car, along its axes, whose lines are packed: more than any
usual `map_size` (HDMapNet's is 15 x 30) and than the reference's BEV range of 51.2."""

_CONTOUR_LAYERS: Final = ("road_segment", "lane")
_DIVIDER_LAYERS: Final = ("road_divider", "lane_divider")
# Contours are cut to pieces of this many points, so that the tree has something to skip.
_PIECE_POINTS: Final = 64


class _Layer:
    """Geometries with a search tree."""

    def __init__(self, geometries: Sequence[BaseGeometry]) -> None:
        self.geometries = np.array(geometries, dtype=object)
        shapely.prepare(self.geometries)
        self.tree = shapely.STRtree(self.geometries)

    def clip(self, patch: BaseGeometry) -> list[BaseGeometry]:
        """Non-empty intersections with a polygon, in the order of the map's tables."""
        found = np.sort(self.tree.query(patch, predicate="intersects"))
        clipped = shapely.intersection(self.geometries[found], patch)
        return [geometry for geometry in clipped if not geometry.is_empty]


class LocationMap:
    """The geometry of one location, global metres, built when first asked for.

    Args:
        dataroot: nuScenes folder with `maps/expansion`.
        location: such as `boston-seaport`.

    Raises:
        RunError: the map is missing, unknown to the devkit, outdated or broken.
    """

    def __init__(self, dataroot: str | Path, location: str) -> None:
        self.path = Path(dataroot) / "maps" / "expansion" / f"{location}.json"
        self.map = _load(dataroot, location, self.path)
        self._layers: dict[str, _Layer] = {}

    def layer(self, name: str) -> _Layer:
        """All polygons or lines of a layer; like the devkit, without invalid polygons and empty lines."""
        if name not in self._layers:
            if name in self.map.non_geometric_line_layers:
                geometries = [self.map.extract_line(r["line_token"]) for r in getattr(self.map, name)]
                kept = [line for line in geometries if not line.is_empty]
            elif name == "drivable_area":
                tokens = [token for r in self.map.drivable_area for token in r["polygon_tokens"]]
                kept = [self.map.extract_polygon(token) for token in tokens]
            else:
                geometries = [self.map.extract_polygon(r["polygon_token"]) for r in getattr(self.map, name)]
                kept = [polygon for polygon in geometries if polygon.is_valid]
            self._layers[name] = _Layer(kept)
        return self._layers[name]

    @cached_property
    def contours(self) -> _Layer:
        """Contours of the union of road segments and lanes, as pieces."""
        union = shapely.union_all(np.concatenate([self.layer(name).geometries for name in _CONTOUR_LAYERS]))
        rings = shapely.get_rings(shapely.get_parts(union))
        return _Layer([piece for ring in rings for piece in _pieces(shapely.get_coordinates(ring))])

    @cached_property
    def crossing_edges(self) -> _Layer:
        """The two long edges of each pedestrian crossing."""
        edges = []
        for polygon in self.layer("ped_crossing").geometries:
            points = shapely.get_coordinates(polygon.exterior)
            lengths = np.hypot(*np.diff(points, axis=0).T)
            # Stable, so that of equal edges always the same two are taken.
            for edge in np.argsort(lengths, kind="stable")[-2:]:
                edges.append(shapely.linestrings(points[edge : edge + 2]))
        return _Layer(edges)

    def lines_around(
        self, x: float, y: float, yaw: float, radius: float = MAP_RADIUS
    ) -> dict[str, list[Array]]:
        """Map lines in the frame of a car at global (x, y) metres, heading `yaw` radians.

        Returns:
            By class (`divider`, `ped_crossing`, `boundary`): polylines (M, 2), metres, x forward, y left,
            clipped to the square |x| <= radius, |y| <= radius.
        """
        turn = np.array([[np.cos(yaw), -np.sin(yaw)], [np.sin(yaw), np.cos(yaw)]])
        corners = radius * np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
        patch = shapely.polygons(corners @ turn.T + (x, y))

        def local(geometries: list[BaseGeometry]) -> list[Array]:
            return [(shapely.get_coordinates(line) - (x, y)) @ turn for line in _line_strings(geometries)]

        dividers = [line for name in _DIVIDER_LAYERS for line in self.layer(name).clip(patch)]
        contours = _line_strings(self.contours.clip(patch))
        joined = [shapely.line_merge(shapely.multilinestrings(contours))] if contours else []
        return {
            "divider": local(dividers),
            "ped_crossing": local(self.crossing_edges.clip(patch)),
            "boundary": local(joined),
        }


def _load(dataroot: str | Path, location: str, path: Path) -> NuScenesMap:
    # Importing the devkit's map module sets a matplotlib style for the whole process: it is put back.
    import matplotlib

    with matplotlib.rc_context():
        from nuscenes.map_expansion.map_api import NuScenesMap
    if not path.is_file():
        raise RunError(
            f"the map of `{location}` is missing",
            place=str(path),
            hint="map labels need the nuScenes map expansion 1.3: unpack it into `maps/expansion`",
        )
    try:
        return NuScenesMap(dataroot=str(dataroot), map_name=location)
    except json.JSONDecodeError as error:
        raise RunError(f"the map of `{location}` is no JSON: {error}", place=str(path)) from error
    except Exception as error:  # the devkit raises bare Exceptions, AssertionErrors and KeyErrors here
        raise RunError(
            f"the devkit cannot load this map: {type(error).__name__}: {error}", place=str(path)
        ) from error


def _pieces(points: Array) -> list[BaseGeometry]:
    """A ring cut to line strings that share their end points."""
    step = _PIECE_POINTS - 1
    return [shapely.linestrings(points[i : i + _PIECE_POINTS]) for i in range(0, len(points) - 1, step)]


def _line_strings(geometries: list[BaseGeometry]) -> list[BaseGeometry]:
    """The line strings in intersections, which can be collections; single touching points are dropped."""
    parts = shapely.get_parts(shapely.get_parts(np.array(geometries, dtype=object)))
    return [part for part in parts if part.geom_type == "LineString" and part.length > 0]
