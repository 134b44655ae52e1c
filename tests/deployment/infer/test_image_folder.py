"""Six JPEGs in a folder: which file is which camera, and what is refused."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from runtime.deployment.infer.image_folder import camera_files, channel_of, read_folder
from runtime.errors import RunError
from runtime.geometry.camera import CAMERA_NAMES


@pytest.mark.parametrize(
    ("name", "channel"),
    [
        ("CAM_FRONT.jpg", "CAM_FRONT"),
        ("CAM_FRONT_LEFT.JPEG", "CAM_FRONT_LEFT"),
        ("n015-2018-07-24-11-22-45+0800__CAM_FRONT__1532402927612460.jpg", "CAM_FRONT"),
        ("n015-2018-07-24-11-22-45+0800__CAM_BACK_RIGHT__1532402927612460.jpg", "CAM_BACK_RIGHT"),
        ("CAM_BACK_2.jpg", "CAM_BACK"),
        ("CAM_FRONT_WIDE.jpg", None),
        ("CAM_FRONTAL.jpg", None),
        ("CAM_FRONT_LEFTMOST.jpg", None),
        ("CAM_FRONT+CAM_BACK.jpg", None),
        ("WEBCAM_FRONT.jpg", None),
        ("CAM_FRONT.png", None),
        ("front.jpg", None),
    ],
)
def test_the_camera_of_a_file(name: str, channel: str | None) -> None:
    assert channel_of(Path(name)) == channel


def test_names_as_in_nuscenes_and_other_files_beside_them(folder: Path) -> None:
    plain = read_folder(folder)
    for channel in CAMERA_NAMES:
        (folder / f"{channel}.jpg").rename(folder / f"n015-2018+0800__{channel}__15324029.jpg")
    (folder / "._CAM_FRONT.jpg").write_bytes(b"left by another system")
    (folder / "notes.txt").write_text("about CAM_FRONT")
    named = read_folder(folder)
    assert named.images == plain.images and (named.ego2img == plain.ego2img).all()
    assert list(camera_files(folder)) == list(CAMERA_NAMES)


def grey(path: Path) -> None:
    Image.open(path).convert("L").save(path, format="JPEG")


def turned(path: Path) -> None:
    image = Image.open(path)
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(path, exif=exif)


def damage(path: Path) -> None:
    """A few bytes in the middle of the compressed pixels are lost, as after a bad transfer."""
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 64] = b"\xff\xd9" * 32
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (
            lambda path: path.unlink(),
            "{folder}: error: no JPEG of the camera `CAM_FRONT`\n"
            "hint: name the files for their cameras, such as `CAM_FRONT.jpg`, or as nuScenes does",
        ),
        (
            lambda path: path.rename(path.with_name("CAM_FORNT.jpg")),
            "{folder}: error: no JPEG of the camera `CAM_FRONT`; no camera's JPEG: `CAM_FORNT.jpg`\n"
            "hint: name the files for their cameras, such as `CAM_FRONT.jpg`, or as nuScenes does",
        ),
        (
            lambda path: path.with_name("x__CAM_FRONT__1.jpg").write_bytes(path.read_bytes()),
            "{folder}: error: camera `CAM_FRONT` has 2 images: `CAM_FRONT.jpg`, `x__CAM_FRONT__1.jpg`",
        ),
        (lambda path: path.write_bytes(b""), "{path}: error: is no whole JPEG (0 bytes)"),
        (lambda path: path.write_bytes(b"no picture"), "{path}: error: is no whole JPEG (10 bytes)"),
        (
            lambda path: path.write_bytes(path.read_bytes()[:5000]),
            "{path}: error: is no whole JPEG (5000 bytes)\nhint: copy the file again",
        ),
        (
            lambda path: Image.new("RGB", (480, 270)).save(path, format="PNG"),
            "{path}: error: is a PNG file, expected a JPEG",
        ),
        (
            lambda path: Image.new("RGB", (240, 135)).save(path),
            "{path}: error: has 240 x 135 pixels (width x height), `calibration.json` says 480 x 270",
        ),
        (grey, "{path}: error: has pixels of the kind L, expected a colour JPEG"),
        (
            turned,
            "{path}: error: its EXIF orientation is 6: the pixels are stored turned or mirrored\n"
            "hint: store it upright, and calibrate for the pixels as stored",
        ),
    ],
)
def test_an_image_that_cannot_be_used(folder: Path, edit: Callable[[Path], object], said: str) -> None:
    path = folder / "CAM_FRONT.jpg"
    edit(path)
    with pytest.raises(RunError) as raised:
        read_folder(folder)
    assert str(raised.value) == said.format(folder=folder, path=path)


def test_a_damaged_image_that_still_decodes_is_refused(folder: Path) -> None:
    path = folder / "CAM_BACK.jpg"
    damage(path)
    assert cv2.imdecode(np.fromfile(path, dtype=np.uint8), cv2.IMREAD_COLOR) is not None
    with pytest.raises(RunError) as raised:
        read_folder(folder)
    assert str(raised.value).startswith(f"{path}: error: is damaged: ")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no such folder"):
        read_folder(tmp_path / "shot")


def test_images_without_a_calibration(folder: Path) -> None:
    (folder / "calibration.json").unlink()
    with pytest.raises(RunError) as raised:
        read_folder(folder)
    assert str(raised.value) == (
        f"{folder}: error: the folder has no `calibration.json`\n"
        "hint: `specgen data export-sample --sample 0 --out DIR` writes one from a packed sample"
    )


def test_the_name_of_a_frame(folder: Path) -> None:
    text = (folder / "calibration.json").read_text()
    named = read_folder(folder)
    assert f'"sample": "{named.name}"' in text
    (folder / "calibration.json").write_text(text.replace(f'"{named.name}"', '"a crossing"'))
    assert read_folder(folder).name == "a crossing"
