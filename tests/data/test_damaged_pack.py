"""A pack that is missing, torn, of two packings or changed: a dataset and `verify` name what is wrong."""

import shutil
from pathlib import Path
from typing import Any

import lmdb
import pytest
from packed_datasets import dataset

from runtime.data.loader import build_data_loader
from runtime.data.nuscenes.verify import verify
from runtime.data.pack_format import decode, encode, image_key, sample_key
from runtime.errors import RunError
from runtime.geometry.camera import CAMERA_NAMES


def test_a_missing_pack_says_how_to_make_it(tmp_path: Path):
    path = tmp_path / "nuscenes/v1.0-trainval/train_lmdb"
    with pytest.raises(RunError) as caught:
        dataset(path)
    assert str(caught.value) == (
        f"{path}: error: no packed dataset here\n"
        f"hint: make it with `specgen data pack --src-data-dir DIR --target-data-dir {tmp_path}/nuscenes "
        "--version v1.0-trainval --split-name train --pack-type lmdb`; "
        "without nuScenes, `specgen data synth --out DIR` makes a DIR for it"
    )


def test_a_relative_path_is_told_with_the_folder_it_counts_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError) as caught:
        dataset(Path("packs/v1.0-trainval/train_lmdb"))
    assert caught.value.message == f"no packed dataset here (paths count from `{tmp_path}`)"


def test_a_torn_lmdb_is_named_instead_of_killing_the_process(packed: Any, tmp_path: Path):
    copy = packed.copy_to(tmp_path / "packed")
    file = copy.train / "data.mdb"
    size = file.stat().st_size
    with file.open("r+b") as opened:
        opened.truncate(size // 2)
    with pytest.raises(RunError) as caught:
        dataset(copy.train)
    message = (
        f"{copy.train}: error: the LMDB cannot be opened: `data.mdb` is truncated: it has {size // 2} bytes, "
    )
    assert str(caught.value).startswith(message)
    assert "--overwrite`" in str(caught.value)
    file.write_bytes(b"no database at all" * 1000)
    with pytest.raises(RunError, match="has no valid header"):
        dataset(copy.train)


def test_a_manifest_that_is_missing_broken_or_of_another_pack_is_named(packed: Any, tmp_path: Path):
    copy = packed.copy_to(tmp_path / "packed")
    metas = copy.target / "metas"
    manifest = metas / f"{copy.version}-train.manifest.json"
    shutil.copy(metas / f"{copy.version}-val.manifest.json", manifest)
    with pytest.raises(RunError, match=r"the LMDB and its manifest .* are not of one packing: digests"):
        dataset(copy.train)
    manifest.write_text("{")
    with pytest.raises(RunError, match="the manifest cannot be read: Expecting property name"):
        dataset(copy.train)
    manifest.write_text('{"version": 3}')
    with pytest.raises(RunError, match="the manifest cannot be read: KeyError"):
        dataset(copy.train)
    manifest.write_text('{"format": 2}')
    with pytest.raises(RunError, match="it is of format 2, this version reads format 1\nhint: pack it again"):
        dataset(copy.train)
    manifest.unlink()
    with pytest.raises(RunError, match="no manifest for the `train` split"):
        dataset(copy.train)


def change(folder: Path, key: bytes, value: bytes | None) -> None:
    with lmdb.open(str(folder), map_size=1 << 30) as env, env.begin(write=True) as transaction:
        transaction.put(key, value) if value is not None else transaction.delete(key)


def test_a_corrupt_jpeg_names_its_sample_and_camera(packed: Any, tmp_path: Path):
    copy = packed.copy_to(tmp_path / "packed")
    token = dataset(packed.train)[4]["token"]
    key = image_key(token, "CAM_BACK_LEFT")
    whole = dataset(packed.train).image_bytes(4)[CAMERA_NAMES.index("CAM_BACK_LEFT")]
    change(copy.train, key, whole[:500])
    with pytest.raises(RunError) as caught:
        dataset(copy.train)[4]
    assert str(caught.value) == (
        f"{copy.train}: error: image `CAM_BACK_LEFT` of sample `{token}` is no whole JPEG (500 bytes)\n"
        "hint: check the pack with `specgen data verify`, then pack it again"
    )
    with pytest.raises(RunError, match=f"sample `{token}` was changed"):
        verify(copy.train)
    other = packed.copy_to(tmp_path / "other")
    change(other.train, key, None)
    with pytest.raises(RunError, match=f"`image:{token}:CAM_BACK_LEFT` of sample `{token}` is missing"):
        dataset(other.train)[4]


def test_an_error_in_a_worker_process_reads_as_if_it_were_raised_here(packed: Any, tmp_path: Path):
    copy = packed.copy_to(tmp_path / "packed")
    change(copy.train, image_key(dataset(packed.train)[2]["token"], "CAM_FRONT"), b"\xff\xd8")
    messages = []
    for workers in (0, 1):
        with pytest.raises(RunError) as caught:
            list(build_data_loader(dataset=dataset(copy.train), batch_size=2, num_workers=workers))
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    assert "hint: check the pack with `specgen data verify`" in messages[0]


def test_a_corrupt_record_names_its_sample(packed: Any, tmp_path: Path):
    data = dataset(packed.train)
    token, record = data[3]["token"], data.reader.record_bytes(3)
    other = data.reader.record_bytes(2)
    cases = (
        (record[: len(record) // 2], "cannot be read: no whole record"),
        (b"", "cannot be read: no whole record"),
        (encode([1, 2]), "cannot be read: "),
        (other, f"cannot be read: it belongs to sample {decode(other)['token']}"),
    )
    for number, (value, problem) in enumerate(cases):
        copy = packed.copy_to(tmp_path / f"packed{number}")
        change(copy.train, sample_key(3), value)
        with pytest.raises(RunError) as caught:
            dataset(copy.train)[3]
        assert f"error: the record of sample `{token}` {problem}" in str(caught.value)


def test_verify_accepts_what_was_packed_and_finds_one_changed_byte(packed: Any, tmp_path: Path):
    seen: list[tuple[int, int, str]] = []
    manifest = verify(packed.train, progress=lambda *step: seen.append(step))
    assert [done for done, _, _ in seen] == [1, 2, 3, 4, 5, 6] and len(manifest.samples) == 6
    copy = packed.copy_to(tmp_path / "packed")
    data = (copy.train / "data.mdb").read_bytes()
    jpeg = dataset(copy.train).image_bytes(5)[0]
    at = data.index(jpeg) + len(jpeg) // 2
    (copy.train / "data.mdb").write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    with pytest.raises(RunError, match=f"sample `{manifest.samples[5].token}` was changed"):
        verify(copy.train)
