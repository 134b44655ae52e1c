"""A small hand-made map with the shapes that are awkward in real ones."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for `packing_steps`
Points = list[tuple[float, float]]

LOCATION = "boston-seaport"


class MapWriter:
    """Collects the records of a map expansion."""

    def __init__(self) -> None:
        layers = [
            *(
                "polygon",
                "line",
                "node",
                "drivable_area",
                "road_segment",
                "road_block",
                "lane",
                "ped_crossing",
            ),
            *("walkway", "stop_line", "carpark_area", "road_divider", "lane_divider", "traffic_light"),
            "lane_connector",
        ]
        self.records: dict[str, Any] = {name: [] for name in layers}
        self.records |= {
            "version": "1.3",
            "canvas_edge": [400, 400],
            "arcline_path_3": {},
            "connectivity": {},
        }

    def _nodes(self, points: Points) -> list[str]:
        first = len(self.records["node"])
        self.records["node"] += [
            {"token": f"n{first + i}", "x": float(x), "y": float(y)} for i, (x, y) in enumerate(points)
        ]
        return [f"n{first + i}" for i in range(len(points))]

    def polygon(self, layer: str, points: Points, holes: tuple[Points, ...] = ()) -> None:
        """Adds a polygon to a layer."""
        token = f"p{len(self.records['polygon'])}"
        self.records["polygon"].append(
            {
                "token": token,
                "exterior_node_tokens": self._nodes(points),
                "holes": [{"node_tokens": self._nodes(hole)} for hole in holes],
            }
        )
        record: dict[str, Any] = {"token": f"{layer}-{token}", "polygon_token": token}
        if layer == "lane":
            record |= {"left_lane_divider_segments": [], "right_lane_divider_segments": []}
        if layer == "drivable_area":
            record = {"token": f"{layer}-{token}", "polygon_tokens": [token]}
        self.records[layer].append(record)

    def line(self, layer: str, points: Points) -> None:
        """Adds a line to a layer."""
        token = f"l{len(self.records['line'])}"
        self.records["line"].append({"token": token, "node_tokens": self._nodes(points)})
        self.records[layer].append({"token": f"{layer}-{token}", "line_token": token})


def ring(x: float, y: float, radius: float, count: int) -> Points:
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return [(x + radius * np.cos(a), y + radius * np.sin(a)) for a in angles]


def box(x: float, y: float, width: float, height: float) -> Points:
    return [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]


@pytest.fixture(scope="session")
def map_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `maps/expansion/boston-seaport.json`."""
    writer = MapWriter()
    # A round road of many points with a hole, crossed by a straight one in pieces that share edges.
    writer.polygon("road_segment", ring(200, 200, 60, 300), (ring(200, 200, 45, 200),))
    for k in range(8):
        writer.polygon("road_segment", box(40 * k + 40, 190, 40, 16))
        writer.polygon("lane", box(40 * k + 40, 205, 40, 5))
        writer.line("road_divider", [(40 * k + 40, 198), (40 * k + 60, 198.5), (40 * k + 80, 198)])
    # A line that leaves the patch and comes back, and one without nodes.
    writer.line("lane_divider", [(150, 150), (250, 160), (150, 170), (350, 180), (150, 230)])
    writer.line("lane_divider", [])
    # A square crossing (all edges alike), a long one, and an L-shaped one.
    writer.polygon("ped_crossing", box(180, 190, 16, 16))
    writer.polygon("ped_crossing", box(220, 190, 4, 16))
    writer.polygon("ped_crossing", [(240, 190), (252, 190), (252, 194), (244, 194), (244, 206), (240, 206)])
    writer.polygon("walkway", box(150, 206, 100, 4), (box(180, 207, 10, 2),))
    # A bow tie: not valid, which the devkit skips, except in the drivable area.
    writer.polygon("lane", [(190, 230), (210, 250), (210, 230), (190, 250)])
    writer.polygon("drivable_area", ring(200, 200, 61, 100), (ring(200, 200, 44, 60),))
    writer.polygon("drivable_area", box(40, 188, 320, 24))
    folder = tmp_path_factory.mktemp("map")
    (folder / "maps/expansion").mkdir(parents=True)
    (folder / "maps/expansion" / f"{LOCATION}.json").write_text(json.dumps(writer.records))
    return folder
