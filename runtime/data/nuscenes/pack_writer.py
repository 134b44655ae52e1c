"""Writing the LMDB of one split so that it can be interrupted at any time and finished later."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import lmdb

from runtime.data.pack_format import (
    FORMAT,
    META_KEY,
    Manifest,
    PackPlace,
    SampleEntry,
    decode,
    encode,
    image_key,
    sample_digest,
    sample_key,
)
from runtime.errors import RunError
from runtime.geometry.camera import CAMERA_NAMES

_FIRST_MAP: Final = 1 << 26
_BATCH_BYTES: Final = 32 << 20
_BATCH_SECONDS: Final = 2.0
_PLAN_KEY: Final = b"plan"
_DONE: Final = b"done:"


@dataclass(frozen=True)
class PackedSample:
    """A sample ready to be written.

    Args:
        index: its place in the split.
        token: nuScenes sample token.
        record: encoded record.
        images: six JPEGs in view order.
    """

    index: int
    token: str
    record: bytes
    images: list[bytes]


class PackWriter:
    """The growing LMDB of one split, in a folder beside its final one.

    A sample and its entry go to disk in one transaction; after a kill, everything that was committed is
    there.

    Args:
        place: where the pack will be.
        plan: digest of what is being packed; an unfinished pack of another plan is thrown away.
        map_limit: largest size in bytes that the LMDB may reach, for tests of a full map.

    Raises:
        RunError: the folder cannot be written.
    """

    def __init__(self, *, place: PackPlace, plan: str, map_limit: int = 1 << 44) -> None:
        self.place = place
        self.map_limit = map_limit
        self._waiting: list[PackedSample] = []
        self._last_commit = time.monotonic()
        plan_value = encode([FORMAT, plan])
        self._env = self._open()
        with self._env.begin() as transaction:
            found = transaction.get(_PLAN_KEY)
        if found != plan_value:
            self._env.close()
            shutil.rmtree(place.partial)
            self._env = self._open()
            self._commit(lambda transaction: transaction.put(_PLAN_KEY, plan_value))
        self.entries: dict[int, SampleEntry] = self._read_entries()

    def add(self, sample: PackedSample) -> None:
        """Take a sample; they are committed every few seconds or tens of megabytes."""
        self._waiting.append(sample)
        size = sum(len(image) for waiting in self._waiting for image in waiting.images)
        if size > _BATCH_BYTES or time.monotonic() - self._last_commit > _BATCH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Commit what is waiting."""
        waiting, self._waiting = self._waiting, []
        self._last_commit = time.monotonic()
        if not waiting:
            return
        entries = {
            sample.index: SampleEntry(
                sample.token,
                sample_digest(sample.record, sample.images),
                sum(len(image) for image in sample.images),
            )
            for sample in waiting
        }

        def write(transaction: lmdb.Transaction) -> None:
            for sample in waiting:
                transaction.put(sample_key(sample.index), sample.record)
                for channel, image in zip(CAMERA_NAMES, sample.images, strict=True):
                    transaction.put(image_key(sample.token, channel), image)
                entry = entries[sample.index]
                row = encode([sample.index, entry.token, entry.sha256, entry.bytes])
                transaction.put(_DONE + b"%06d" % sample.index, row)

        self._commit(write)
        self.entries.update(entries)

    def finish(self, manifest: Manifest) -> None:
        """Store the manifest, drop the marks of progress, and bring everything to the disk."""
        self.flush()

        def write(transaction: lmdb.Transaction) -> None:
            for index in self.entries:
                transaction.delete(_DONE + b"%06d" % index)
            transaction.delete(_PLAN_KEY)
            transaction.put(META_KEY, encode(manifest.to_json()))

        self._commit(write)
        self._env.sync(True)
        self.close()
        (self.place.partial / "lock.mdb").unlink(missing_ok=True)

    def close(self) -> None:
        """Close without finishing; what was committed stays for the next try."""
        self._env.close()

    def _open(self) -> lmdb.Environment:
        partial = self.place.partial
        try:
            partial.mkdir(parents=True, exist_ok=True)
            written = (partial / "data.mdb").stat().st_size if (partial / "data.mdb").exists() else 0
            size = min(self.map_limit, max(_FIRST_MAP, 2 * written))
            return lmdb.open(str(partial), map_size=size, readahead=False, meminit=False, metasync=True)
        except (OSError, lmdb.Error) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise RunError(
                f"cannot write here: {reason}", place=str(partial), hint="choose another `--target-data-dir`"
            ) from error

    def _read_entries(self) -> dict[int, SampleEntry]:
        entries = {}
        with self._env.begin() as transaction:
            cursor = transaction.cursor()
            if cursor.set_range(_DONE):
                for key, value in cursor:
                    if not bytes(key).startswith(_DONE):
                        break
                    index, token, sha256, size = decode(value)
                    entries[index] = SampleEntry(token, sha256, size)
        return entries

    def _commit(self, write: Callable[[lmdb.Transaction], object]) -> None:
        """One transaction, with a larger map when it does not fit; nothing of it stays when it fails."""
        while True:
            try:
                with self._env.begin(write=True) as transaction:
                    write(transaction)
                return
            except lmdb.MapFullError as error:
                size = self._env.info()["map_size"]
                if size >= self.map_limit:
                    raise RunError(
                        f"the LMDB is full at {size} bytes", place=str(self.place.partial), hint=_ROOM_HINT
                    ) from error
                self._env.set_mapsize(min(self.map_limit, size * 2))
            except (lmdb.Error, OSError) as error:
                raise RunError(
                    f"cannot write: {error}", place=str(self.place.partial), hint=_ROOM_HINT
                ) from error


_ROOM_HINT: Final = (
    "free space on that disk, or choose another target, and give the same command again: "
    "it goes on where it stopped"
)


def replace_folder(partial: Path, final: Path) -> None:
    """Put a finished folder in its place; an older one there is moved aside first and then removed."""
    aside = final.with_name(final.name + ".old")
    shutil.rmtree(aside, ignore_errors=True)
    if final.exists():
        os.replace(final, aside)
    os.replace(partial, final)
    shutil.rmtree(aside, ignore_errors=True)
