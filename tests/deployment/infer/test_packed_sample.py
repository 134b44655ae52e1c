"""A packed sample, as it is and as a folder: what the network is given is the same to the bit."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from infer_parts import SAMPLE, Tiny

from runtime.data.pack_reader import PackReader
from runtime.deployment.infer.frame import batch_of
from runtime.deployment.infer.image_folder import read_folder
from runtime.deployment.infer.model_inputs import read_inputs
from runtime.deployment.infer.packed_sample import export_sample, find_sample, packed_frame
from runtime.errors import RunError
from runtime.geometry.camera import CAMERA_NAMES
from runtime.hbir.codes import encode


def test_the_images_are_written_unchanged(exported_folder: Path, reader: PackReader) -> None:
    for channel, data in zip(CAMERA_NAMES, reader.images(SAMPLE), strict=True):
        assert (exported_folder / f"{channel}.jpg").read_bytes() == data
    assert len(list(exported_folder.iterdir())) == 7


def test_every_sample_gives_the_codes_of_evaluation(tiny: Tiny, reader: PackReader, tmp_path: Path) -> None:
    for index in range(len(reader)):
        export_sample(reader, index, tmp_path / str(index))
        evaluated = tiny.dataset[index]
        batch = {"img": evaluated["img"], "ego2img": evaluated["ego2img"].unsqueeze(0)}
        wanted = codes(tiny, batch)
        for frame in (read_folder(tmp_path / str(index)), packed_frame(reader, index)):
            found = codes(tiny, batch_of(frame, tiny.transforms))
            assert torch.equal(found["img"], wanted["img"])
            assert torch.equal(found["points"], wanted["points"])
    assert len(wanted["points"].unique()) > 100


def codes(tiny: Tiny, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    img, points = tiny.structure.deployed_inputs(batch)
    return encode(tiny.graph, {"img": img, "points": points})


def test_the_poses_contain_what_the_car_moves_until_the_shutter(
    exported_folder: Path, reader: PackReader
) -> None:
    record = reader.record(SAMPLE)
    moved = [
        np.linalg.norm(camera["ego2global"][:3, 3] - record["ego2global"][:3, 3])
        for camera in record["cameras"]
    ]
    assert max(moved) > 0.01
    folder, packed = read_folder(exported_folder), packed_frame(reader, SAMPLE)
    assert np.abs(folder.ego2img - packed.ego2img).max() < 1e-9


def test_a_sample_by_index_and_by_token(reader: PackReader) -> None:
    token = reader.token(1)
    assert find_sample(reader, "1") == find_sample(reader, token) == 1
    place = str(reader.place.lmdb)
    for text in ("sample:1", f"sample:{token}", f"pack:{place}#1", f"pack:{place}#{token}"):
        assert read_inputs(text, lambda: reader).name == token


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sample:4", "no sample 4, the pack has 4\nhint: they are counted from 0 to 3"),
        ("sample:-1", "no sample has the token `-1`"),
        ("sample:feed", "no sample has the token `feed`"),
        ("sample:", "`sample:` names no sample\nhint: write `img:DIR`"),
        ("shot", "`shot` names no sample\nhint: write `img:DIR`"),
        ("img:", "`img:` names no sample"),
        ("pack:x_lmdb", "`pack:x_lmdb` does not say which sample\nhint: write `pack:x_lmdb#0`"),
        ("pack:absent_lmdb#0", "no packed dataset here"),
    ],
)
def test_inputs_that_name_nothing(reader: PackReader, text: str, said: str) -> None:
    with pytest.raises(RunError) as raised:
        read_inputs(text, lambda: reader)
    assert said in str(raised.value)


def test_a_second_image_of_a_camera_is_not_made(
    exported_folder: Path, reader: PackReader, tmp_path: Path
) -> None:
    shutil.copytree(exported_folder, tmp_path / "shot")
    export_sample(reader, 0, tmp_path / "shot")  # its own files are replaced
    assert read_folder(tmp_path / "shot").name == reader.token(0)
    (tmp_path / "shot" / "CAM_BACK.jpg").rename(tmp_path / "shot" / "x__CAM_BACK__1.jpg")
    with pytest.raises(RunError, match="camera `CAM_BACK` would have two images"):
        export_sample(reader, 0, tmp_path / "shot")
