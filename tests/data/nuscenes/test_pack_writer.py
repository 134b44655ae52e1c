"""The growing LMDB: maps that grow or are full, disks that refuse."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.data.nuscenes.pack_writer import PackedSample, PackWriter
from runtime.data.pack_format import PackPlace
from runtime.errors import RunError

REPOSITORY = Path(__file__).parents[3]


def sample(index: int, size: int) -> PackedSample:
    return PackedSample(index, f"token{index}", b"record", [bytes([index]) * (size // 6)] * 6)


def test_the_map_grows_with_what_is_written(tmp_path: Path):
    place = PackPlace.under(tmp_path, "v", "train")
    writer = PackWriter(place=place, plan="a")
    for index in range(5):
        writer.add(sample(index, 20 << 20))
    writer.flush()
    assert sorted(writer.entries) == list(range(5))
    writer.close()
    again = PackWriter(place=place, plan="a")
    assert again.entries == writer.entries and again.entries[3].token == "token3"
    again.close()


def test_a_full_map_is_an_error_that_keeps_what_was_committed(tmp_path: Path):
    place = PackPlace.under(tmp_path, "v", "train")
    writer = PackWriter(place=place, plan="a", map_limit=1 << 20)
    writer.add(sample(0, 300_000))
    writer.flush()
    writer.add(sample(1, 2_000_000))
    with pytest.raises(RunError) as caught:
        writer.flush()
    assert str(caught.value) == (
        f"{place.partial}: error: the LMDB is full at 1048576 bytes\n"
        "hint: free space on that disk, or choose another target, and give the same command again: "
        "it goes on where it stopped"
    )
    writer.close()
    again = PackWriter(place=place, plan="a")
    assert sorted(again.entries) == [0]
    again.close()


def test_a_pack_of_another_plan_is_thrown_away(tmp_path: Path):
    place = PackPlace.under(tmp_path, "v", "train")
    writer = PackWriter(place=place, plan="a")
    writer.add(sample(0, 600))
    writer.flush()
    writer.close()
    other = PackWriter(place=place, plan="b")
    assert other.entries == {}
    other.close()


LIMITED = """
import resource, sys
from pathlib import Path
from runtime.data.nuscenes.pack_writer import PackedSample, PackWriter
from runtime.data.pack_format import PackPlace
from runtime.errors import RunError
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
writer = PackWriter(place=PackPlace.under(sys.argv[1], "v", "train"), plan="a")
writer.add(PackedSample(0, "t", b"r", [bytes(500_000)] * 6))
try:
    writer.flush()
except RunError as error:
    print(error)
"""


def test_a_disk_that_refuses_is_one_clear_message(tmp_path: Path):
    """A limit on file sizes stands for a full disk: both fail in the write call."""
    ended = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.startswith(f"{tmp_path}/v/train_lmdb.partial: error: cannot write: ")
    assert "hint: free space on that disk" in ended.stdout


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "v").write_text("a file where the folder should be")
    with pytest.raises(RunError, match=r"cannot write here: \w[^\[\]]+\n"):
        PackWriter(place=PackPlace.under(tmp_path, "v", "train"), plan="a")
