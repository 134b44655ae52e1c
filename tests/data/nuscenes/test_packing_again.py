"""Packing where a pack is, or the beginning of one: it goes on, leaves alone, or replaces on demand."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from packing_steps import Steps

from runtime.data.nuscenes.pack import pack
from runtime.data.nuscenes.verify import verify
from runtime.data.pack_reader import PackReader
from runtime.errors import RunError

REPOSITORY = Path(__file__).parents[3]
KILLED = """
import os, signal, sys
def progress(done, total, text):
    if text == "packing" and done == 3:
        os.kill(os.getpid(), signal.SIGKILL)
if __name__ == "__main__":
    from runtime.data.nuscenes import pack_writer
    from runtime.data.nuscenes.pack import pack
    pack_writer._BATCH_BYTES = 0
    pack(sys.argv[1], sys.argv[2], version=sys.argv[3], split="train", workers=1, progress=progress)
"""


def test_a_finished_pack_is_left_alone(packed: Any, world: Any):
    before = (packed.train / "data.mdb").stat()
    steps = Steps()
    pack(world.root, packed.target, version=world.version, split="train", workers=1, progress=steps)
    assert steps.seen[-1] == (6, 6, "up to date")
    after = (packed.train / "data.mdb").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_lost_manifest_is_written_again(packed: Any, world: Any, tmp_path: Path):
    copy = packed.copy_to(tmp_path / "copy")
    path = copy.target / "metas" / f"{world.version}-train.manifest.json"
    text = path.read_bytes()
    path.unlink()
    pack(world.root, copy.target, version=world.version, split="train", workers=1)
    assert path.read_bytes() == text


def test_interrupted_packing_keeps_what_is_done_and_goes_on(packed: Any, world: Any, tmp_path: Path):
    with pytest.raises(KeyboardInterrupt):
        pack(world.root, tmp_path, version=world.version, split="train", workers=1, progress=Steps(stop_at=4))
    folder = tmp_path / world.version
    assert [p.name for p in folder.iterdir()] == ["train_lmdb.partial"], "half-written in its place"
    with pytest.raises(RunError, match="packing was not finished"):
        PackReader(data_path=folder / "train_lmdb")
    steps = Steps()
    manifest = pack(world.root, tmp_path, version=world.version, split="train", workers=1, progress=steps)
    assert steps.first_packed == 4
    assert manifest == PackReader(data_path=packed.train).manifest
    assert [p.name for p in folder.iterdir()] == ["train_lmdb"]
    verify(folder / "train_lmdb")


def test_killed_packing_goes_on_from_the_last_commit(packed: Any, world: Any, tmp_path: Path):
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    ended = subprocess.run(
        [sys.executable, str(script), str(world.root), str(tmp_path / "out"), world.version],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    steps = Steps()
    manifest = pack(
        world.root, tmp_path / "out", version=world.version, split="train", workers=1, progress=steps
    )
    assert steps.first_packed == 3
    assert manifest == PackReader(data_path=packed.train).manifest


def test_an_unfinished_pack_of_other_tables_is_started_again(world: Any, tmp_path: Path):
    copy = world.copy_to(tmp_path / "world")
    target = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        pack(copy.root, target, version=copy.version, split="train", workers=1, progress=Steps(stop_at=4))
    table = copy.root / copy.version / "sample_annotation.json"
    annotations = json.loads(table.read_text())
    for annotation in annotations:
        annotation["num_lidar_pts"] += 1
    table.write_text(json.dumps(annotations))
    steps = Steps()
    pack(copy.root, target, version=copy.version, split="train", workers=1, progress=steps)
    assert steps.first_packed == 0


def test_a_pack_of_other_content_is_replaced_only_on_demand(packed: Any, world: Any, tmp_path: Path):
    copy, target = world.copy_to(tmp_path / "world"), packed.copy_to(tmp_path / "packed")
    splits = copy.root / copy.version / "attribute.json"
    splits.write_text(json.dumps(json.loads(splits.read_text()), indent=3))
    before = (target.train / "data.mdb").read_bytes()
    with pytest.raises(RunError) as caught:
        pack(copy.root, target.target, version=copy.version, split="train", workers=1)
    assert str(caught.value) == (
        f"{target.train}: error: there is a damaged pack or one of other content here\n"
        "hint: add `--overwrite` to replace it, or choose another `--target-data-dir`"
    )
    assert (target.train / "data.mdb").read_bytes() == before
    manifest = pack(copy.root, target.target, version=copy.version, split="train", workers=1, overwrite=True)
    assert manifest.source != PackReader(data_path=packed.train).manifest.source
    assert verify(target.train) == manifest
    assert sorted(p.name for p in target.train.parent.iterdir()) == ["train_lmdb", "val_lmdb"]
