"""`calibration.json`: what is written is read back, and every mistake is named by file and key."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runtime.data.pack_reader import PackReader
from runtime.deployment.infer.calibration_file import read_calibration, write_calibration
from runtime.deployment.infer.packed_sample import calibration_of
from runtime.errors import RunError

Document = dict[str, Any]


def test_what_is_written_is_read_back(reader: PackReader, tmp_path: Path) -> None:
    written = calibration_of(reader.record(0))
    write_calibration(tmp_path / "calibration.json", written)
    read = read_calibration(tmp_path / "calibration.json")
    assert (read.size, read.sample) == (written.size, written.sample)
    assert read.ego2global == pytest.approx(written.ego2global, abs=1e-12)
    for channel, pose in written.cam2ego.items():
        assert read.cam2ego[channel] == pytest.approx(pose, abs=1e-14)
        assert (read.intrinsics[channel] == written.intrinsics[channel]).all()
    write_calibration(tmp_path / "again.json", read)
    assert json.loads((tmp_path / "again.json").read_text())["cameras"].keys() == read.cam2ego.keys()


def test_sample_and_place_of_the_car_may_be_left_out(folder: Path) -> None:
    change(folder, lambda document: [document.pop(key) for key in ("sample", "ego_to_global")])
    read = read_calibration(folder / "calibration.json")
    assert read.sample is None and read.ego2global is None


def test_a_quaternion_is_read_as_w_x_y_z(folder: Path) -> None:
    """A camera that looks ahead: its z is the car's x, its x the car's -y."""
    change(folder, lambda document: front(document).update(rotation=[0.5, -0.5, 0.5, -0.5]))
    pose = read_calibration(folder / "calibration.json").cam2ego["CAM_FRONT"]
    assert np.allclose(pose[:3, 2], [1, 0, 0]) and np.allclose(pose[:3, 0], [0, -1, 0])


def front(document: Document) -> Document:
    return document["cameras"]["CAM_FRONT"]


def change(folder: Path, edit: Callable[[Document], object]) -> None:
    path = folder / "calibration.json"
    document = json.loads(path.read_text())
    edit(document)
    path.write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (
            lambda d: front(d).update(rotatoin=front(d).pop("rotation")),
            "`cameras.CAM_FRONT.rotatoin` is an unknown key\nhint: did you mean `rotation`?",
        ),
        (lambda d: front(d).pop("rotation"), "`cameras.CAM_FRONT.rotation` is missing"),
        (lambda d: d["cameras"].pop("CAM_BACK"), "`cameras.CAM_BACK` is missing"),
        (
            lambda d: d["cameras"].update(CAM_SIDE={}),
            "`cameras.CAM_SIDE` is an unknown key\nhint: known keys: CAM_FRONT_LEFT, CAM_FRONT, "
            "CAM_FRONT_RIGHT, CAM_BACK_LEFT, CAM_BACK, CAM_BACK_RIGHT",
        ),
        (
            lambda d: front(d).update(rotation=[float("nan"), 0, 0, 0]),
            "`cameras.CAM_FRONT.rotation[0]` is nan, expected a finite number",
        ),
        (
            lambda d: front(d).update(translation=[10**400, 0, 0]),
            "`cameras.CAM_FRONT.translation[0]` is inf, expected a finite number",
        ),
        (
            lambda d: front(d).update(rotation=[1, 1, 0, 0]),
            "`cameras.CAM_FRONT.rotation` has the norm 1.41421, a quaternion w, x, y, z of a rotation has 1",
        ),
        (
            lambda d: front(d).update(rotation=[0, 0, 0]),
            "`cameras.CAM_FRONT.rotation` is a list of 3, expected 4 numbers, a quaternion w, x, y, z",
        ),
        (
            lambda d: front(d).update(translation=[1700, 0, 1500]),
            "`cameras.CAM_FRONT.translation` puts the camera 2267.16 m from the car\n"
            "hint: it is the camera's place on the car, in metres",
        ),
        (
            lambda d: front(d).update(translation="0 0 0"),
            "`cameras.CAM_FRONT.translation` is a text, expected 3 numbers, x, y, z in metres",
        ),
        (
            lambda d: front(d)["camera_intrinsic"][0].__setitem__(2, True),
            "`cameras.CAM_FRONT.camera_intrinsic[0][2]` is true or false, expected a number",
        ),
        (
            lambda d: front(d)["camera_intrinsic"].pop(),
            "`cameras.CAM_FRONT.camera_intrinsic` is a list of 2, expected 3 x 3 numbers, "
            "[[fx, 0, cx], [0, fy, cy], [0, 0, 1]]",
        ),
        (
            lambda d: front(d).update(camera_intrinsic=[[100, 0, 50], [0, -100, 50], [0, 0, 1]]),
            "`cameras.CAM_FRONT.camera_intrinsic` has the focal lengths 100 and -100, expected more than 0",
        ),
        (
            lambda d: front(d).update(camera_intrinsic=[[1, 0, 0], [0, 1, 0], [5, 5, 1]]),
            "`cameras.CAM_FRONT.camera_intrinsic` is [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [5.0, 5.0, 1.0]], "
            "expected [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]",
        ),
        (lambda d: d.update(format=2), "`format` is 2, expected a whole number from 1 to 1"),
        (
            lambda d: d["image_size"].update(width=480.0),
            "`image_size.width` is a number, expected a whole number from 1 to 16384",
        ),
        (
            lambda d: d["image_size"].update(height=0),
            "`image_size.height` is 0, expected a whole number from 1 to 16384",
        ),
        (lambda d: d.update(sample="  "), "`sample` is a text, expected a text that is not empty"),
        (lambda d: d.update(cameras=[]), "`cameras` is a list, expected an object"),
        (
            lambda d: d["ego_to_global"].update(rotation=[0, 0, 0, 0]),
            "`ego_to_global.rotation` has the norm 0, a quaternion w, x, y, z of a rotation has 1",
        ),
    ],
)
def test_a_wrong_value_is_named_by_its_key(
    folder: Path, edit: Callable[[Document], object], said: str
) -> None:
    change(folder, edit)
    path = folder / "calibration.json"
    with pytest.raises(RunError) as raised:
        read_calibration(path)
    assert str(raised.value) == f"{path}: error: {said}"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            b"{",
            "no readable JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        ),
        (b'{"format": 1, "format": 1}', "no readable JSON: the key `format` stands twice in one object"),
        (b"[1]", "is a list, expected an object"),
        (b"[" * 100_000, "no readable JSON: it is nested too deeply"),
        (b" " * 2**21, "the file has 2097152 bytes, at most 1048576 are read"),
        (
            b'"\xff"',
            "no readable JSON: 'utf-8' codec can't decode byte 0xff in position 1: invalid start byte",
        ),
    ],
)
def test_a_file_that_is_no_calibration(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "calibration.json"
    path.write_bytes(content)
    with pytest.raises(RunError) as raised:
        read_calibration(path)
    assert str(raised.value) == f"{path}: error: {said}"


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"calibration\.json: error: no such file"):
        read_calibration(tmp_path / "calibration.json")
