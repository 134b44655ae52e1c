"""Writes a synthetic dataset in nuScenes format: many scenes in parallel, all files or none."""

from __future__ import annotations

import errno
import glob
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

from runtime.data.free_space import check_free_space
from runtime.data.progress import Progress, silent
from runtime.data.synthetic.layout import Layout
from runtime.data.synthetic.map_expansion import MapExpansion
from runtime.data.synthetic.scene_names import VERSION_SPLITS, official_scene_names
from runtime.data.synthetic.scene_writer import KEY_FRAME_PERIOD, SceneJob, SceneResult, write_scene
from runtime.data.synthetic.semantic_prior import write_semantic_prior
from runtime.data.synthetic.tables import LOCATIONS, MAP_FILES, SENSORS, SceneRows, map_table, shared_tables
from runtime.data.synthetic.worker_pool import WorkerPool
from runtime.data.synthetic.world import KINDS
from runtime.errors import RunError

MARKER: Final = "synthetic_world.json"
"""File that says a folder was written by this module and with which settings."""

GENERATOR: Final = 1
"""Goes up whenever the same settings give another world."""

_TILE_MARGIN: Final = 95.0  # metres of map beyond the ego car's trip on every side
_FASTEST: Final = 5.2  # metres per second that no trip exceeds
_LONGEST_SCENE: Final = 120
_WIDEST: Final = 1600


@dataclass(frozen=True)
class _Settings:
    version: str
    num_train_scenes: int
    num_val_scenes: int
    samples_per_scene: int
    image_size: tuple[int, int]
    seed: int


def synthesize(
    out: str | os.PathLike[str],
    *,
    version: str = "v1.0-trainval",
    num_train_scenes: int = 240,
    num_val_scenes: int = 48,
    samples_per_scene: int = 4,
    image_size: tuple[int, int] = (480, 270),
    seed: int = 0,
    workers: int | None = None,
    progress: Progress = silent,
) -> Path:
    """Write a dataset to the folder `out` and return it.

    The same settings give the same bytes, whatever the number of workers. Nothing appears at `out` before all
    is written; an interrupted run leaves nothing behind.

    Args:
        out: folder of the dataset; an existing one must be empty or a synthetic world, which is replaced.
        version: `v1.0-trainval` or `v1.0-mini`.
        num_train_scenes, num_val_scenes: scenes of the official training and validation split; every scene
            has streets of its own, so that validation shows none that training has seen.
        samples_per_scene: key frames of a scene, two a second.
        image_size: (width, height) of all camera images in pixels, 16:9.
        seed: of everything.
        workers: processes; all cores if None, the calling process alone if 1.
        progress: called with (done, total, what is being written).

    Raises:
        RunError: a setting is impossible, the folder is in use by something else, or the disk is full.
    """
    settings = _Settings(version, num_train_scenes, num_val_scenes, samples_per_scene, image_size, seed)
    _check(settings, workers)
    out = Path(out).absolute()
    _check_target(out)
    jobs_settings = _jobs(settings)
    count = min(workers or _cores(), len(jobs_settings))
    with _written_aside(out, settings) as folder:
        jobs = [SceneJob(root=folder, **job) for job in jobs_settings]
        _write(folder, settings, jobs, count, progress)
    return out


def _check(settings: _Settings, workers: int | None) -> None:
    if settings.version not in VERSION_SPLITS:
        raise RunError(
            f"unknown dataset version `{settings.version}`",
            hint=f"versions that the nuScenes devkit accepts here: {', '.join(VERSION_SPLITS)}",
        )
    wanted = (settings.num_train_scenes, settings.num_val_scenes)
    for split, number in zip(VERSION_SPLITS[settings.version], wanted, strict=True):
        available = len(official_scene_names(split))
        if not 0 <= number <= available:
            raise RunError(
                f"{number} scenes asked for `{split}`, but there are official names for 0 to {available}",
                hint="the devkit knows by its name which split a scene belongs to",
            )
    if sum(wanted) == 0:
        raise RunError("0 scenes asked for", hint="ask for at least one training or validation scene")
    if not 2 <= settings.samples_per_scene <= _LONGEST_SCENE:
        raise RunError(
            f"{settings.samples_per_scene} samples per scene asked for, possible are 2 to {_LONGEST_SCENE}",
            hint="velocities need two key frames; nuScenes scenes have about 40",
        )
    width, height = settings.image_size
    if not 64 <= width <= _WIDEST or abs(width * 9 - height * 16) > 16:
        raise RunError(
            f"image size {width} x {height} asked for, possible is 16:9 with a width of 64 to {_WIDEST}",
            hint="for example 480 x 270, 800 x 450 or 1600 x 900",
        )
    if settings.seed < 0:
        raise RunError(f"seed {settings.seed} is negative", hint="use 0 or more")
    if workers is not None and workers < 1:
        raise RunError(f"{workers} workers asked for, at least one is needed")


def _check_target(out: Path) -> None:
    if not out.exists():
        return
    if not out.is_dir():
        raise RunError("the target is a file, not a folder", place=str(out), hint="choose another folder")
    if any(out.iterdir()) and not (out / MARKER).is_file():
        raise RunError(
            "the folder is not empty and was not written by `data synth`",
            place=str(out),
            hint="choose another folder, or empty this one",
        )


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _tile_size(settings: _Settings) -> float:
    trip = _FASTEST * (settings.samples_per_scene - 1) * KEY_FRAME_PERIOD
    return float(10 * round((2 * _TILE_MARGIN + trip) / 10))


def _jobs(settings: _Settings) -> list[dict[str, Any]]:
    """Names, places and kinds of all scenes; neighbours in the list lie on different maps."""
    train, val = VERSION_SPLITS[settings.version]
    names = official_scene_names(train)[: settings.num_train_scenes]
    names += official_scene_names(val)[: settings.num_val_scenes]
    size = _tile_size(settings)
    columns = _grid(len(names))[0]
    jobs = []
    for number, name in enumerate(names):
        row, column = divmod(number // len(LOCATIONS), columns)
        jobs.append(
            {
                "name": name,
                "number": number,
                "seed": settings.seed,
                # Each map has all kinds of layout, each kind is on all maps.
                "kind": KINDS[(number // len(LOCATIONS) + number) % len(KINDS)],
                "location": LOCATIONS[number % len(LOCATIONS)],
                "centre": ((column + 0.5) * size, (row + 0.5) * size),
                "tile_size": size,
                "samples": settings.samples_per_scene,
                "image_size": settings.image_size,
            }
        )
    return jobs


def _grid(scenes: int) -> tuple[int, int]:
    """Columns and rows of tiles that hold a location's share of all scenes."""
    tiles = -(-scenes // len(LOCATIONS))
    columns = max(1, round(tiles**0.5))
    return columns, -(-tiles // columns)


def _bytes_needed(settings: _Settings) -> int:
    """A cautious estimate of the size of the dataset."""
    width, height = settings.image_size
    samples = (settings.num_train_scenes + settings.num_val_scenes) * settings.samples_per_scene
    return int(samples * (6 * (0.35 * width * height + 2000) + 150_000)) + 20_000_000


@contextmanager
def _written_aside(out: Path, settings: _Settings) -> Iterator[Path]:
    """A folder beside `out` that takes its place when all went well and vanishes otherwise."""
    folder = out.parent / f".{out.name}.partial-{os.getpid()}"
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _sweep_up(out)
        check_free_space(
            out.parent,
            _bytes_needed(settings),
            hint="ask for fewer scenes or smaller images, or choose another disk",
        )
        folder.mkdir()
        yield folder
        _replace(out, folder)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise RunError(
            f"cannot write the dataset: {error.strerror or error}",
            place=str(error.filename or out),
            hint="free some space, or choose another disk" if full else "choose another folder",
        ) from error
    finally:
        if folder.exists():
            shutil.rmtree(folder, ignore_errors=True)


def _sweep_up(out: Path) -> None:
    """Remove what killed runs for the same target have left: they could not do it themselves."""
    for left in out.parent.glob(f".{glob.escape(out.name)}.*-*"):
        kind, _, number = left.suffix[1:].partition("-")
        if kind in ("partial", "old") and number.isdecimal() and not _alive(int(number)):
            shutil.rmtree(left, ignore_errors=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it lives, and belongs to somebody else
    return True


def _replace(out: Path, folder: Path) -> None:
    if not out.exists():
        folder.rename(out)
        return
    old = out.parent / f".{out.name}.old-{os.getpid()}"
    out.rename(old)
    folder.rename(out)
    shutil.rmtree(old, ignore_errors=True)


def _write(folder: Path, settings: _Settings, jobs: list[SceneJob], workers: int, progress: Progress) -> None:
    for part in ("maps/expansion", settings.version, *(f"samples/{channel}" for channel, _ in SENSORS)):
        (folder / part).mkdir(parents=True)
    with WorkerPool(workers) as pool:
        results: list[SceneResult] = pool.run(write_scene, jobs, progress, "scenes")
        columns, rows = _grid(len(jobs))
        canvas = (columns * jobs[0].tile_size, rows * jobs[0].tile_size)
        maps = [
            (folder, location, [r.layout for r in results if r.location == location], canvas)
            for location in LOCATIONS
        ]
        pool.run(_write_map, maps, progress, "maps")
    progress(0, 1, "tables")
    _write_tables(folder / settings.version, settings, results)
    content = {"generator": GENERATOR, **asdict(settings)}
    (folder / MARKER).write_text(json.dumps(content, indent=2) + "\n")
    progress(1, 1, "tables")


def _write_map(job: tuple[Path, str, list[Layout], tuple[float, float]]) -> None:
    folder, location, layouts, canvas = job
    expansion = MapExpansion(location, canvas)
    for layout in layouts:
        expansion.add(layout)
    text = json.dumps(expansion.as_json(), separators=(",", ":"))
    (folder / "maps" / "expansion" / f"{location}.json").write_text(text)
    write_semantic_prior(folder / "maps" / f"{MAP_FILES[location]}.png", layouts, canvas)


def _write_tables(folder: Path, settings: _Settings, results: list[SceneResult]) -> None:
    tables = shared_tables()
    for entry in fields(SceneRows):
        tables[entry.name] = [row for result in results for row in getattr(result.rows, entry.name)]
    logs: dict[str, list[str]] = {}
    for result in results:
        logs.setdefault(result.location, []).extend(row["token"] for row in result.rows.log)
    tables["map"] = map_table(logs)
    for name, rows in tables.items():
        (folder / f"{name}.json").write_text(json.dumps(rows, separators=(",", ":")))
    scenes = [row["name"] for row in tables["scene"]]
    train = settings.num_train_scenes
    # For readers that take a split from here instead of from the devkit's lists.
    splits = {"synthetic_train": scenes[:train], "synthetic_val": scenes[train:]}
    (folder / "splits.json").write_text(json.dumps(splits, indent=1) + "\n")
