"""What `specgen data` says at its end, and after Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runtime.data.pack_format import Manifest, SampleEntry

Run = Callable[..., Any]

PACK = ("data", "pack", "--src-data-dir", "src", "--target-data-dir", "packs", "--split-name", "val")


def a_manifest(*_: object, progress: Callable[[int, int, str], None], **__: object) -> Manifest:
    progress(0, 0, "reading tables")
    progress(2, 2, "packing")
    entries = tuple(SampleEntry(token=token, sha256="0" * 64, bytes=1) for token in ("a", "b"))
    return Manifest(
        version="v1.0-trainval",
        split="val",
        scene_split="val",
        source="s",
        map_radius=60.0,
        image_size=(270, 480),
        samples=entries,
        digest="0123456789abcdef",
    )


def interrupted(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_a_pack_is_named_with_its_digest(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.data.nuscenes.pack.pack", a_manifest)
    done = run(*PACK)
    assert (done.status, done.out) == (0, "packs/v1.0-trainval/val_lmdb: 2 samples, 0123456789ab\n")
    assert done.err == "packing val: reading tables\npacking val: 2/2 packing\n"


def test_so_it_is_when_verified(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.data.nuscenes.verify.verify", a_manifest)
    assert run("data", "verify", "packs/val_lmdb").out == "packs/val_lmdb: 2 samples, 0123456789ab\n"


def test_a_world_is_named_with_its_size(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.data.synthetic.generate.synthesize", lambda out, **_: Path(out))
    done = run("data", "synth", "--out", "world", "--scenes", "2", "--val-scenes", "1", "--samples", "3")
    assert (done.status, done.out) == (0, "world: 3 scenes of 3 key frames\n")


@pytest.mark.parametrize(
    ("arguments", "place", "said"),
    [
        (PACK, "nuscenes.pack.pack", "interrupted: the same command goes on where it stopped"),
        (
            ("data", "synth", "--out", "world"),
            "synthetic.generate.synthesize",
            "interrupted: nothing was written",
        ),
        (("data", "verify", "packs/val_lmdb"), "nuscenes.verify.verify", "interrupted"),
    ],
)
def test_ctrl_c_is_told_with_what_it_leaves(
    run: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], place: str, said: str
) -> None:
    monkeypatch.setattr(f"runtime.data.{place}", interrupted)
    done = run(*arguments)
    assert (done.status, done.out, done.err.strip()) == (130, "", said)
