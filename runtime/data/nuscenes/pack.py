"""Packing one split of a nuScenes-format folder into an LMDB with a manifest."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import lmdb

from runtime.atomic_file import write_bytes, write_json
from runtime.data.free_space import check_free_space
from runtime.data.lmdb_file import open_lmdb
from runtime.data.nuscenes.image_check import ImageJob, ImageResult, read_images, start_worker
from runtime.data.nuscenes.map_geometry import MAP_RADIUS, LocationMap
from runtime.data.nuscenes.pack_writer import PackedSample, PackWriter, replace_folder
from runtime.data.nuscenes.tables import (
    TABLES,
    NuScenes,
    SampleRef,
    image_paths,
    open_tables,
    sample_record,
    samples_of_split,
    scene_split,
)
from runtime.data.pack_format import META_KEY, Manifest, PackPlace, decode, encode, total_digest
from runtime.data.pack_reader import read_manifest
from runtime.data.progress import Progress, silent
from runtime.errors import RunError
from runtime.geometry.camera import CAMERA_NAMES
from runtime.geometry.frames import matrix_yaw

_RECORD_BYTES: Final = 64 << 10  # a generous guess of one record, for the check of free space


def pack(
    src: str | Path,
    target: str | Path,
    *,
    version: str,
    split: str,
    workers: int | None = None,
    progress: Progress = silent,
    overwrite: bool = False,
) -> Manifest:
    """Pack a split to `<target>/<version>/<split>_lmdb` and `<target>/metas`.

    Interrupted, it goes on where it stopped when called again; finished and unchanged, it returns at once.
    The same source always gives the same digest.

    Args:
        src: nuScenes folder with `samples`, `maps` and `<version>`.
        target: folder to write into.
        version: of the tables, such as `v1.0-trainval`.
        split: official name (`train`, `val`, `mini_train` ...) or one of the version's `splits.json`.
        workers: processes that read and check images; by default one a core.
        progress: called with samples done, samples in all, and a word on what is being done.
        overwrite: replace a pack of other content.

    Raises:
        RunError: the source lacks something or holds a damaged image (named with its sample), the target
            holds another pack, or there is no room.
    """
    place = PackPlace.under(target, version, split)
    progress(0, 0, "reading tables")
    nusc = open_tables(src, version)
    official, scenes = scene_split(nusc, split)
    samples = samples_of_split(nusc, scenes)
    if not samples:
        raise RunError(f"no scene of split `{official}` is in these tables", place=str(Path(src) / version))
    sizes = _image_bytes(nusc, samples)
    source = _source_digest(Path(src), version, samples)

    done = _finished(place, source, sizes)
    if done is not None:
        progress(len(samples), len(samples), "up to date")
        return done
    if place.lmdb.exists() and not overwrite:
        raise RunError(
            "there is a damaged pack or one of other content here",
            place=str(place.lmdb),
            hint="add `--overwrite` to replace it, or choose another `--target-data-dir`",
        )

    writer = PackWriter(place=place, plan=hashlib.sha256(encode([source, version, split])).hexdigest())
    try:
        todo = [
            i for i, size in enumerate(sizes) if i not in writer.entries or writer.entries[i].bytes != size
        ]
        _check_room(place, sum(sizes[i] + _RECORD_BYTES for i in todo))
        maps = _Maps(Path(src))
        image_size = _image_size(nusc, samples[0])
        jobs = ((i, _image_jobs(nusc, samples[i], image_size)) for i in todo)
        count = len(samples) - len(todo)
        progress(count, len(samples), "packing")
        for index, results in _read_all(jobs, workers=workers, tasks=len(todo)):
            writer.add(_packed(nusc, samples[index], index, results, maps))
            count += 1
            progress(count, len(samples), "packing")
        writer.flush()
        entries = tuple(writer.entries[i] for i in range(len(samples)))
        manifest = Manifest(
            version=version,
            split=split,
            scene_split=official,
            source=source,
            map_radius=MAP_RADIUS,
            image_size=image_size,
            samples=entries,
            digest=total_digest(version, split, [entry.sha256 for entry in entries]),
        )
        writer.finish(manifest)
    except BaseException:
        # An error or Ctrl-C: samples that are whole are kept, so that the next call goes on from here.
        with suppress(RunError):
            writer.flush()
        raise
    finally:
        writer.close()
    _copy_maps(Path(src), place, {sample.location for sample in samples})
    replace_folder(place.partial, place.lmdb)
    write_manifest(place, manifest)
    return manifest


def write_manifest(place: PackPlace, manifest: Manifest) -> None:
    """Write the manifest to its place. RunError when it cannot be written."""
    write_json(place.manifest, manifest.to_json())


class _Maps:
    """Maps by location, loaded when first needed."""

    def __init__(self, src: Path) -> None:
        self.src = src
        self.by_location: dict[str, LocationMap] = {}

    def __getitem__(self, location: str) -> LocationMap:
        if location not in self.by_location:
            self.by_location[location] = LocationMap(self.src, location)
        return self.by_location[location]


def _packed(
    nusc: NuScenes, ref: SampleRef, index: int, results: list[ImageResult], maps: _Maps
) -> PackedSample:
    for channel, path, result in zip(CAMERA_NAMES, image_paths(nusc, ref), results, strict=True):
        if result.problem is not None:
            raise RunError(
                f"image `{channel}` of sample `{ref.token}` ({ref.scene_name}) {result.problem}",
                place=str(path),
                hint="restore the file and give the same command again: it goes on where it stopped",
            )
    record = sample_record(nusc, ref)
    pose = record["ego2global"]
    record["map_lines"] = maps[ref.location].lines_around(pose[0, 3], pose[1, 3], matrix_yaw(pose))
    return PackedSample(index, ref.token, encode(record), [result.data for result in results])


def _image_jobs(nusc: NuScenes, ref: SampleRef, size: tuple[int, int]) -> list[ImageJob]:
    return [ImageJob(str(path), size) for path in image_paths(nusc, ref)]


def _image_size(nusc: NuScenes, ref: SampleRef) -> tuple[int, int]:
    """(height, width) of the first image; all must be like it, because the six views become one tensor."""
    data = nusc.get("sample_data", nusc.get("sample", ref.token)["data"][CAMERA_NAMES[0]])
    return int(data["height"]), int(data["width"])


def _image_bytes(nusc: NuScenes, samples: list[SampleRef]) -> list[int]:
    """Total size of the six image files of each sample. RunError when one is missing."""
    totals = []
    for ref in samples:
        total = 0
        for channel, path in zip(CAMERA_NAMES, image_paths(nusc, ref), strict=True):
            try:
                total += path.stat().st_size
            except FileNotFoundError:
                raise RunError(
                    f"image `{channel}` of sample `{ref.token}` ({ref.scene_name}) is missing",
                    place=str(path),
                    hint="restore the file and give the same command again",
                ) from None
        totals.append(total)
    return totals


def _source_digest(src: Path, version: str, samples: list[SampleRef]) -> str:
    """sha256 over the tables, the maps of the samples' locations and what decides how they are packed."""
    digest = hashlib.sha256(encode([MAP_RADIUS, [ref.token for ref in samples]]))
    files = [src / version / f"{name}.json" for name in TABLES]
    files += [_map_file(src, location) for location in sorted({ref.location for ref in samples})]
    for file in files:
        if not file.is_file():
            continue  # a missing map is reported where it is loaded, with its hint
        with file.open("rb") as opened:
            digest.update(hashlib.file_digest(opened, "sha256").digest())
    return digest.hexdigest()


def _map_file(src: Path, location: str) -> Path:
    return src / "maps" / "expansion" / f"{location}.json"


def _finished(place: PackPlace, source: str, sizes: list[int]) -> Manifest | None:
    """The manifest of a finished pack of this very source, mended if only the last step was interrupted."""
    if not place.database_file.is_file():
        return None
    try:
        meta = open_lmdb(place.lmdb).get(META_KEY)
        stored = None if meta is None else Manifest.from_json(decode(meta))
    except (lmdb.Error, OSError, ValueError, KeyError, TypeError):
        return None
    if stored is None or stored.source != source or [entry.bytes for entry in stored.samples] != sizes:
        return None
    try:
        written = read_manifest(place)
    except RunError:
        written = None
    if written != stored:
        write_manifest(place, stored)
    return stored


def _check_room(place: PackPlace, needed: int) -> None:
    place.partial.mkdir(parents=True, exist_ok=True)
    check_free_space(place.partial, needed, hint="choose another `--target-data-dir`, or free some space")


def _copy_maps(src: Path, place: PackPlace, locations: set[str]) -> None:
    for location in sorted(locations):
        write_bytes(place.metas / "maps" / f"{location}.json", _map_file(src, location).read_bytes())


def _read_all(
    jobs: Iterable[tuple[int, list[ImageJob]]], *, workers: int | None, tasks: int
) -> Iterator[tuple[int, list[ImageResult]]]:
    """Results in the order of the jobs, read ahead by a few samples a worker."""
    if tasks == 0:
        return
    count = min(workers if workers else os.cpu_count() or 1, tasks)
    pool = ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=start_worker)
    waiting: deque[tuple[int, Future[list[ImageResult]]]] = deque()
    try:
        for index, images in jobs:
            waiting.append((index, pool.submit(read_images, images)))
            if len(waiting) >= 4 * count:
                first, future = waiting.popleft()
                yield first, future.result()
        while waiting:
            first, future = waiting.popleft()
            yield first, future.result()
    except BrokenProcessPool as error:
        raise RunError(
            "a process that reads images was ended from outside, most often for want of memory",
            hint="give the same command again with fewer `--workers`: it goes on where it stopped",
        ) from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
