"""Determinism, atomic writing and the messages for impossible wishes."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runtime.data.synthetic import generate
from runtime.data.synthetic.generate import MARKER, synthesize
from runtime.errors import RunError

SMALL: dict[str, Any] = {
    "version": "v1.0-mini",
    "num_train_scenes": 1,
    "num_val_scenes": 1,
    "samples_per_scene": 2,
    "image_size": (160, 90),
}


def digests(root: Path) -> dict[str, str]:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(f.relative_to(root)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesize(tmp_path_factory.mktemp("small") / "world", workers=1, seed=5, **SMALL)


def test_same_bytes_whatever_the_number_of_workers(small: Path, tmp_path: Path) -> None:
    assert digests(synthesize(tmp_path / "two", workers=2, seed=5, **SMALL)) == digests(small)


def test_another_seed_is_another_world(small: Path, tmp_path: Path) -> None:
    other = digests(synthesize(tmp_path / "other", workers=1, seed=6, **SMALL))
    ours = digests(small)
    images = [name for name in ours if name.endswith(".jpg")]
    assert len(images) == 2 * 2 * 6
    assert not {ours[name] for name in images} & set(other.values())


def test_a_scene_does_not_depend_on_how_many_follow(small: Path, tmp_path: Path) -> None:
    more = synthesize(tmp_path / "more", workers=1, seed=5, **{**SMALL, "num_val_scenes": 0})
    first = "scene-0061"
    ours, theirs = digests(small), digests(more)
    images = [name for name in ours if first in name]
    assert len(images) == 2 * 7
    assert all(ours[name] == theirs[name] for name in images)


def test_tree_and_marker(small: Path) -> None:
    assert sorted(p.name for p in small.iterdir()) == ["maps", "samples", MARKER, "v1.0-mini"]
    marker = json.loads((small / MARKER).read_text())
    assert marker["seed"] == 5 and marker["image_size"] == [160, 90]
    tables = {p.stem for p in (small / "v1.0-mini").glob("*.json")} - {"splits"}
    assert len(tables) == 13
    splits = json.loads((small / "v1.0-mini" / "splits.json").read_text())
    assert splits == {"synthetic_train": ["scene-0061"], "synthetic_val": ["scene-0103"]}


def test_progress_reaches_the_end(tmp_path: Path) -> None:
    calls: list[tuple[int, int, str]] = []
    synthesize(tmp_path / "w", workers=1, progress=lambda *call: calls.append(call), **SMALL)
    assert (0, 2, "scenes") in calls and (2, 2, "scenes") in calls
    assert calls[-1] == (1, 1, "tables")


def test_own_world_is_replaced_and_foreign_folder_refused(small: Path, tmp_path: Path) -> None:
    target = tmp_path / "w"
    synthesize(target, workers=1, seed=6, **SMALL)
    (target / "left-over").write_text("x")
    synthesize(target, workers=1, seed=5, **SMALL)
    assert digests(target) == digests(small)
    foreign = tmp_path / "photos"
    foreign.mkdir()
    (foreign / "holiday.txt").write_text("x")
    with pytest.raises(RunError) as error:
        synthesize(foreign, **SMALL)
    assert str(error.value) == (
        f"{foreign}: error: the folder is not empty and was not written by `data synth`\n"
        "hint: choose another folder, or empty this one"
    )
    assert [p.name for p in foreign.iterdir()] == ["holiday.txt"]


@pytest.mark.parametrize("problem", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_nothing_is_left_behind_by_a_run_that_ends_early(
    problem: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise problem

    monkeypatch.setattr(generate, "_write_tables", fail)
    target = tmp_path / "w"
    with pytest.raises((KeyboardInterrupt, RunError)) as error:
        synthesize(target, workers=1, **SMALL)
    if isinstance(error.value, RunError):
        assert error.value.message == "cannot write the dataset: No space left on device"
        assert error.value.hint == "free some space, or choose another disk"
    assert list(tmp_path.iterdir()) == []


def test_too_little_space_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = generate.shutil._ntuple_diskusage(10**9, 10**9, 10**6)  # type: ignore[attr-defined]
    monkeypatch.setattr(generate.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(RunError, match=r"about [0-9.]+ MB are needed and [0-9.]+ MB are free"):
        synthesize(tmp_path / "w", workers=1, **SMALL)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"version": "v1.0-test"},
            "error: unknown dataset version `v1.0-test`\n"
            "hint: versions that the nuScenes devkit accepts here: v1.0-trainval, v1.0-mini",
        ),
        (
            {"num_train_scenes": 9},
            "error: 9 scenes asked for `mini_train`, but there are official names for 0 to 8\n"
            "hint: the devkit knows by its name which split a scene belongs to",
        ),
        (
            {"num_train_scenes": 0, "num_val_scenes": 0},
            "error: 0 scenes asked for\nhint: ask for at least one training or validation scene",
        ),
        (
            {"samples_per_scene": 1},
            "error: 1 samples per scene asked for, possible are 2 to 120\n"
            "hint: velocities need two key frames; nuScenes scenes have about 40",
        ),
        (
            {"image_size": (480, 480)},
            "error: image size 480 x 480 asked for, possible is 16:9 with a width of 64 to 1600\n"
            "hint: for example 480 x 270, 800 x 450 or 1600 x 900",
        ),
        ({"seed": -1}, "error: seed -1 is negative\nhint: use 0 or more"),
        ({"workers": 0}, "error: 0 workers asked for, at least one is needed"),
    ],
)
def test_impossible_wishes(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(RunError) as error:
        synthesize(tmp_path / "w", **{**SMALL, **change})
    assert str(error.value) == message
    assert list(tmp_path.iterdir()) == []


def test_rests_of_a_killed_run_are_removed_by_the_next_one(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    rest = tmp_path / f".w.partial-{ended.pid}"
    running = tmp_path / f".w.partial-{os.getppid()}"
    for folder in (rest, running):
        (folder / "samples").mkdir(parents=True)
    synthesize(tmp_path / "w", workers=1, **SMALL)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([running.name, "w"])
