import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.visualization.clip_segments import clip_to_rectangle, project_segments

# Looks along +x, 100 pixels focal length, centre (50, 40): u = 50 - 100 y / x, v = 40 - 100 z / x.
FORWARD = np.array([[50.0, -100, 0, 0], [40, 0, -100, 0], [1, 0, 0, 0], [0, 0, 0, 1]])


def test_a_segment_in_front_is_projected_at_both_ends():
    pixels = project_segments(np.array([[10.0, 1, 0]]), np.array([[20.0, -2, 1]]), FORWARD)
    assert pixels.tolist() == [[[40, 40], [60, 35]]]


def test_a_segment_through_the_camera_ends_at_the_near_plane():
    """A point 5 m behind would come out on the wrong side; the cut lies where the line has depth 0.1."""
    start, end = np.array([[10.0, 1, 0]]), np.array([[-5.0, 1, 0]])
    pixels = project_segments(start, end, FORWARD, near=0.1)
    assert pixels[0, 0].tolist() == [40, 40]
    assert pixels[0, 1] == pytest.approx([50 - 100 * 1 / 0.1, 40])
    swapped = project_segments(end, start, FORWARD, near=0.1)
    assert np.allclose(swapped[0, ::-1], pixels[0])


def test_what_lies_behind_is_left_out():
    assert project_segments(np.array([[-1.0, 0, 0]]), np.array([[0.05, 0, 0]]), FORWARD).shape == (0, 2, 2)
    assert project_segments(np.zeros((0, 3)), np.zeros((0, 3)), FORWARD).shape == (0, 2, 2)


points = st.tuples(*[st.floats(-20, 20, width=32)] * 2)


@given(points, points)
def test_a_clipped_segment_is_the_inside_part_of_the_segment(start, end):
    """Points sampled along the segment lie in the image exactly when they lie on the clipped part."""
    segment = np.array([[start, end]])
    clipped = clip_to_rectangle(segment, 8, 6)
    share = np.linspace(0, 1, 201)[:, None]
    along = np.array(start) + share * (np.array(end) - np.array(start))
    inside = ((along >= -1 - 1e-9) & (along <= np.array([8, 6]) + 1e-9)).all(axis=1)
    if len(clipped) == 0:
        strictly = ((along > -1 + 1e-6) & (along < np.array([8, 6]) - 1e-6)).all(axis=1)
        assert not strictly.any()
        return
    low, high = clipped[0].min(axis=0) - 1e-6, clipped[0].max(axis=0) + 1e-6
    assert (((along >= low) & (along <= high)).all(axis=1) >= inside).all()
    assert (clipped >= -1 - 1e-6).all() and (clipped <= np.array([8, 6]) + 1e-6).all()


def test_coordinates_far_outside_become_small():
    clipped = clip_to_rectangle(np.array([[[-1e9, 3.0], [1e9, 3.0]]]), 10, 6)
    assert clipped == pytest.approx(np.array([[[-1, 3], [10, 3]]]), abs=1e-4)
