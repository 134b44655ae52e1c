import cv2
import numpy as np
import pytest

from runtime.geometry import pixel_matrix
from runtime.geometry.boxes import box_corners
from runtime.geometry.camera import project
from runtime.visualization.camera_view import EDGES, box_edges, draw_camera, score_places
from runtime.visualization.palette import CLASS_COLORS, TRUTH
from runtime.visualization.scene import Boxes

# 200 x 120 pixels, looking along +x from 1.5 m above the ground.
FOCAL = 150.0
EGO2IMG = np.array(
    [[99.5, -FOCAL, 0, 0], [59.5, 0, -FOCAL, 1.5 * FOCAL], [1, 0, 0, 0], [0, 0, 0, 1]], dtype=np.float64
)
CAR = np.array([[12.0, 1.0, 0.85, 1.9, 4.6, 1.7, 0.4, 0.0, 0.0]])
GREY = np.full((120, 200, 3), 90, dtype=np.uint8)
NOTHING = Boxes()


def boxes(values, label: int = 0, score: float | None = None) -> Boxes:
    count = len(values)
    return Boxes(values, np.full(count, label), None if score is None else np.full(count, score))


def near(image, uv, color, tolerance: int = 40) -> bool:
    """Whether a pixel within one of (u, v) has about this colour."""
    column, row = np.round(uv).astype(int)
    patch = image[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2].astype(int)
    return bool((np.abs(patch - np.array(color)).max(axis=-1) <= tolerance).any())


@pytest.mark.parametrize("zoom", [1, 2])
def test_edges_of_a_prediction_appear_where_geometry_says(zoom):
    """Corners and quarter points of all twelve edges, also in an enlarged image: pixel centres move with
    it."""
    image = draw_camera(GREY, EGO2IMG, NOTHING, boxes(CAR, 2, 0.9), (120 * zoom, 200 * zoom))
    corners = box_corners(CAR)[0]
    assert len(EDGES) == 12
    for first, last in EDGES:
        for share in (0.0, 0.25, 0.5, 0.75, 1.0):
            uv, depth = project(corners[first] + share * (corners[last] - corners[first]), EGO2IMG)
            assert depth > 0
            assert near(image, (uv.reshape(2) + 0.5) * zoom - 0.5, CLASS_COLORS[2])


def test_nothing_is_drawn_away_from_the_box():
    image = draw_camera(GREY, EGO2IMG, boxes(CAR), boxes(CAR, 0, 0.9), (120, 200))
    uv = project(box_corners(CAR)[0], EGO2IMG)[0]
    (left, top), (right, bottom) = (
        np.floor(uv.min(axis=0)).astype(int) - 3,
        np.ceil(uv.max(axis=0)).astype(int) + 3,
    )
    outside = np.ones(image.shape[:2], dtype=bool)
    outside[top : bottom + 1, left : right + 1] = False
    assert outside.any() and (image[outside] == 90).all()


def away_from_edges(uv, segments, distance: float = 4.0):
    """The points (N, 2) that are farther than `distance` pixels from every segment (M, 2, 2)."""
    start, run = segments[:, 0], segments[:, 1] - segments[:, 0]
    offset = uv[:, None] - start
    share = np.clip((offset * run).sum(axis=-1) / (run**2).sum(axis=-1), 0, 1)
    return uv[np.hypot(*np.moveaxis(offset - share[..., None] * run, -1, 0)).min(axis=1) > distance]


@pytest.mark.parametrize(("corners", "tinted"), [((0, 1, 3), True), ((4, 5, 7), False)])
def test_only_the_front_face_is_tinted(corners, tinted):
    """Seen from ahead on the left, so that both faces have pixels of their own."""
    car = np.array([[9.0, 2.5, 0.85, 1.9, 4.6, 1.7, 2.2, 0.0, 0.0]])
    size = (480, 800)
    image = draw_camera(GREY, EGO2IMG, NOTHING, boxes(car, 0, 0.9), size)
    matrix = pixel_matrix.resize((120, 200), size) @ EGO2IMG
    origin, across, down = box_corners(car)[0][list(corners)]
    shares = np.stack(np.meshgrid(*[np.linspace(0, 1, 40)] * 2), axis=-1).reshape(-1, 2)
    face = origin + shares[:, :1] * (across - origin) + shares[:, 1:] * (down - origin)
    other = box_corners(car)[0][4:] if tinted else box_corners(car)[0][:4]
    uv = away_from_edges(project(face, matrix)[0], box_edges(box_corners(car)[0], matrix))
    hidden = cv2.convexHull(project(other, matrix)[0].astype(np.float32))
    uv = np.array([point for point in uv if cv2.pointPolygonTest(hidden, point.tolist(), True) < -3])
    assert len(uv) > 50
    expected = [90 * 0.65 + 0.35 * value for value in CLASS_COLORS[0]] if tinted else [90, 90, 90]
    for column, row in np.round(uv).astype(int):
        assert image[row, column].tolist() == pytest.approx(expected, abs=2)


def test_truth_is_dashed_and_white():
    image = draw_camera(GREY, EGO2IMG, boxes(CAR), NOTHING, (120, 200))
    corners = box_corners(CAR)[0]
    segments = box_edges(corners, EGO2IMG)
    longest = segments[np.argmax(np.hypot(*(segments[:, 1] - segments[:, 0]).T))]
    along = [longest[0] + share * (longest[1] - longest[0]) for share in np.linspace(0, 1, 120)]
    values = [image[tuple(np.round(point[::-1]).astype(int))].min() for point in along]
    strokes = np.array(values) > 170
    assert strokes[0] and strokes[-1]
    assert np.abs(np.diff(strokes.astype(int))).sum() >= 4
    assert (image.max(axis=-1) - image.min(axis=-1) == 0).all()
    assert image.max() <= max(TRUTH)


def test_a_box_around_the_camera_is_cut_not_mirrored():
    """A wall that runs from behind to ahead on the left must stay on the left."""
    wall = np.array([[0.0, 3.0, 1.5, 0.2, 40.0, 3.0, 0.0, 0.0, 0.0]])
    image = draw_camera(GREY, EGO2IMG, NOTHING, boxes(wall, 5, 0.9), (120, 200))
    changed = (image != 90).any(axis=-1)
    assert changed[:, :100].any() and not changed[:, 101:].any()


def test_a_box_behind_the_camera_is_not_drawn():
    behind = CAR.copy()
    behind[0, 0] = -12.0
    assert (draw_camera(GREY, EGO2IMG, boxes(behind), boxes(behind, 0, 0.9), (120, 200)) == 90).all()


def test_scores_stand_on_top_of_boxes_that_are_large_enough():
    places = score_places((120, 200), EGO2IMG, boxes(CAR, 0, 0.9), (120, 200))
    uv = project(box_corners(CAR)[0], EGO2IMG)[0]
    assert places == [
        (0, pytest.approx((uv[:, 0].min() + uv[:, 0].max()) / 2), pytest.approx(uv[:, 1].min()))
    ]
    far = CAR.copy()
    far[0, 0] = 60.0
    assert score_places((120, 200), EGO2IMG, boxes(far, 0, 0.9), (120, 200)) == []
