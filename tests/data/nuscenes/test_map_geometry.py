"""Fast map geometry against the devkit's slow one."""

import json
import shutil
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import shapely
from nuscenes.map_expansion.map_api import NuScenesMap
from shapely import affinity

from runtime.data.nuscenes.map_geometry import LocationMap
from runtime.errors import RunError

LOCATION = "boston-seaport"
POLYGON_LAYERS = ("road_segment", "lane", "ped_crossing", "walkway", "drivable_area")
POSES = [(200.3, 200.1, 0.0), (203.4, 191.7, 33.0), (160.2, 240.1, -117.0), (250.0, 198.0, 180.0)]


@pytest.fixture(scope="module")
def fast(map_root: Path) -> LocationMap:
    return LocationMap(map_root, LOCATION)


@pytest.fixture(scope="module")
def devkit(map_root: Path) -> NuScenesMap:
    return NuScenesMap(dataroot=str(map_root), map_name=LOCATION)


def to_patch_frame(
    geometries: list[shapely.Geometry], x: float, y: float, degrees: float
) -> list[shapely.Geometry]:
    turned = [affinity.rotate(g, -degrees, origin=(x, y)) for g in geometries]
    moved = [affinity.affine_transform(g, [1, 0, 0, 1, -x, -y]) for g in turned]
    return [shapely.MultiPolygon([g]) if g.geom_type == "Polygon" else g for g in moved]


@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize("layer", POLYGON_LAYERS)
def test_masks_equal_the_devkits(
    fast: LocationMap, devkit: NuScenesMap, layer: str, pose: tuple[float, float, float]
):
    x, y, degrees = pose
    box, canvas = (x, y, 60.0, 80.0), (240, 320)
    expected = devkit.get_map_mask(box, degrees, [layer], canvas)[0]
    clipped = fast.layer(layer).clip(devkit.explorer.get_patch_coord(box, degrees))
    local = to_patch_frame(clipped, x, y, degrees)
    mask = devkit.explorer.map_geom_to_mask([(layer, local)], (0.0, 0.0, 60.0, 80.0), canvas)[0]
    assert expected.any() or layer == "ped_crossing"
    np.testing.assert_array_equal(mask, expected)


@pytest.mark.parametrize("pose", POSES)
def test_divider_lines_equal_the_devkits(
    fast: LocationMap, devkit: NuScenesMap, pose: tuple[float, float, float]
):
    x, y, degrees = pose
    geometry = devkit.get_map_geom((x, y, 80.0, 80.0), degrees, ["road_divider", "lane_divider"])
    # A line that only touches the patch gives a point there.
    parts = [part for _, lines in geometry for many in lines for part in shapely.get_parts(many)]
    expected = [part for part in parts if part.geom_type == "LineString"]
    found = fast.lines_around(x, y, np.deg2rad(degrees), radius=40.0)["divider"]
    assert len(found) == len(expected) > 2
    for line, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(line, shapely.get_coordinates(other), atol=1e-9)


@pytest.mark.parametrize("pose", POSES)
def test_boundary_is_the_contour_of_the_clipped_union_without_the_edges_of_the_patch(
    fast: LocationMap, devkit: NuScenesMap, pose: tuple[float, float, float]
):
    x, y, degrees = pose
    # Clipped and united where the polygons lie: turned one by one, those with a common edge would part by a
    # rounding error and the seam would count as a contour.
    patch, inner = (devkit.explorer.get_patch_coord((x, y, side, side), degrees) for side in (80.0, 79.8))
    tokens = [record["polygon_token"] for record in devkit.road_segment + devkit.lane]
    polygons = [devkit.extract_polygon(token) for token in tokens]
    union = shapely.union_all([p.intersection(patch) for p in polygons if p.is_valid])
    (expected,) = to_patch_frame([union.boundary.intersection(inner)], x, y, degrees)
    lines = fast.lines_around(x, y, np.deg2rad(degrees), radius=40.0)["boundary"]
    found = shapely.multilinestrings([shapely.linestrings(line) for line in lines]).intersection(
        shapely.box(-39.9, -39.9, 39.9, 39.9)
    )
    assert found.length == pytest.approx(expected.length, rel=1e-6) and found.length > 50
    assert found.difference(expected.buffer(1e-6)).length < 1e-6
    assert expected.difference(found.buffer(1e-6)).length < 1e-6


def test_contours_are_joined_again_where_they_were_cut(fast: LocationMap):
    """The ring road's outline is cut for the search tree; inside the patch it is one line again."""
    lines = fast.lines_around(200.0, 200.0, 0.0, radius=100.0)["boundary"]
    long = [line for line in lines if len(line) > 64]
    assert len(long) >= 4, "upper and lower halves of the outer and the inner circle"


def test_crossings_are_their_two_long_edges(fast: LocationMap):
    edges = fast.lines_around(222.0, 198.0, 0.0, radius=6.0)["ped_crossing"]
    ends = sorted(tuple(map(tuple, np.round(edge[np.argsort(edge[:, 1])], 9))) for edge in edges)
    # The crossing at x 220..224, y 190..206, clipped to y 192..204.
    assert ends == [((-2.0, -6.0), (-2.0, 6.0)), ((2.0, -6.0), (2.0, 6.0))]


def test_lines_are_in_the_ego_frame(fast: LocationMap):
    """A car that drives along +y sees the divider, which runs along +x, crossing its path."""
    for line in fast.lines_around(200.0, 180.0, np.pi / 2, radius=20.0)["divider"]:
        if abs(line[:, 0] - 18).max() < 1:  # the road divider at y = 198, 18 m ahead
            assert np.ptp(line[:, 1]) > 10
            break
    else:
        pytest.fail("no divider ahead")


def test_the_same_place_gives_the_same_lines_to_the_last_bit(map_root: Path, fast: LocationMap):
    again = LocationMap(map_root, LOCATION).lines_around(203.0, 196.0, 0.7)
    for name, lines in fast.lines_around(203.0, 196.0, 0.7).items():
        assert [line.tobytes() for line in lines] == [line.tobytes() for line in again[name]]


def test_a_place_without_a_map_has_no_lines(fast: LocationMap):
    assert fast.lines_around(5000.0, 5000.0, 0.0) == {"divider": [], "ped_crossing": [], "boundary": []}


def test_matplotlib_style_is_left_alone(map_root: Path):
    before = dict(matplotlib.rcParams)
    LocationMap(map_root, LOCATION)
    assert dict(matplotlib.rcParams) == before


def test_missing_outdated_and_broken_maps_are_named(map_root: Path, tmp_path: Path):
    with pytest.raises(RunError) as caught:
        LocationMap(tmp_path, LOCATION)
    path = tmp_path / "maps/expansion" / f"{LOCATION}.json"
    assert str(caught.value) == (
        f"{path}: error: the map of `boston-seaport` is missing\n"
        "hint: map labels need the nuScenes map expansion 1.3: unpack it into `maps/expansion`"
    )
    shutil.copytree(map_root, tmp_path, dirs_exist_ok=True)
    path.write_text(path.read_text()[:1000])
    with pytest.raises(RunError, match="the map of `boston-seaport` is no JSON"):
        LocationMap(tmp_path, LOCATION)
    path.write_text(json.dumps({"version": "1.2"}))
    with pytest.raises(RunError, match="outdated map version"):
        LocationMap(tmp_path, LOCATION)
