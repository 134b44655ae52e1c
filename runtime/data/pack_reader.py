"""Reading a packed dataset, with every way it can be damaged turned into one clear message."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import lmdb

from runtime.data.lmdb_file import LmdbFile, open_lmdb
from runtime.data.pack_format import META_KEY, Manifest, PackPlace, decode, image_key, sample_key
from runtime.errors import RunError
from runtime.geometry.camera import CAMERA_NAMES


def read_manifest(place: PackPlace) -> Manifest:
    """The manifest of a pack.

    Raises:
        RunError: it is missing, no JSON, or of another format.
    """
    try:
        return Manifest.from_json(json.loads(place.manifest.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise RunError(
            f"no manifest for the `{place.split}` split of `{place.version}`",
            place=str(place.manifest),
            hint=_pack_hint(place),
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        reason = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        raise RunError(
            f"the manifest cannot be read: {reason}",
            place=str(place.manifest),
            hint=_pack_hint(place, overwrite=True),
        ) from error


class PackReader:
    """Records and JPEGs of one packed split.

    The LMDB is opened on first use in each process: the object can be pickled, and survives a fork.

    Args:
        data_path: the `<split>_lmdb` folder.
        metas: folder of manifests; by default `metas` beside the version's folder.

    Raises:
        RunError: the pack is missing, torn, or not the one its manifest describes.
    """

    def __init__(self, *, data_path: str | Path, metas: str | Path | None = None) -> None:
        self.place = PackPlace.of_lmdb(data_path, metas)
        self._file: LmdbFile | None = None
        self._check_present()
        self.manifest = read_manifest(self.place)
        self._check_meta()

    def __len__(self) -> int:
        return len(self.manifest.samples)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_file": None}

    def token(self, index: int) -> str:
        """Sample token at `index`."""
        return self.manifest.samples[index].token

    def record(self, index: int) -> dict[str, Any]:
        """The record of a sample. RunError when it is missing or torn."""
        token = self.token(index)
        data = self._get(sample_key(index), token)
        try:
            record = decode(data)
            if record["token"] != token:
                raise ValueError(f"it belongs to sample {record['token']}")
        except (ValueError, KeyError, TypeError) as error:
            raise self._damaged(f"the record of sample `{token}` cannot be read: {error}") from error
        return record

    def record_bytes(self, index: int) -> bytes:
        """The record as it is stored."""
        return self._get(sample_key(index), self.token(index))

    def images(self, index: int) -> list[bytes]:
        """The six JPEGs of a sample in view order, as they were in the source."""
        token = self.token(index)
        return [self._get(image_key(token, channel), token) for channel in CAMERA_NAMES]

    def close(self) -> None:
        """Give the file back; the next read opens it again."""
        self._file = None

    def _get(self, key: bytes, token: str) -> bytes:
        try:
            data = self._opened().get(key)
        except (lmdb.Error, OSError) as error:
            raise self._damaged(f"`{key.decode()}` of sample `{token}` cannot be read: {error}") from error
        if data is None:
            raise self._damaged(f"`{key.decode()}` of sample `{token}` is missing")
        return data

    def _opened(self) -> LmdbFile:
        if self._file is None:
            self._file = open_lmdb(self.place.lmdb)
        return self._file

    def _check_present(self) -> None:
        place = self.place
        if not place.lmdb.is_dir() or not place.database_file.is_file():
            unfinished = place.partial.is_dir()
            what = "packing was not finished" if unfinished else "no packed dataset here"
            if not place.lmdb.is_absolute():
                what += f" (paths count from `{Path.cwd()}`)"
            raise RunError(what, place=str(place.lmdb), hint=_pack_hint(place))

    def _check_meta(self) -> None:
        try:
            meta = self._opened().get(META_KEY)
            stored = None if meta is None else Manifest.from_json(decode(meta))
        except (lmdb.Error, OSError, ValueError, KeyError, TypeError) as error:
            raise self._damaged(f"the LMDB cannot be opened: {error}") from error
        finally:
            self.close()
        if stored is None or stored.digest != self.manifest.digest:
            found = "nothing" if stored is None else stored.digest[:12]
            raise self._damaged(
                f"the LMDB and its manifest `{self.place.manifest}` are not of one packing: "
                f"digests {found} and {self.manifest.digest[:12]}"
            )

    def _damaged(self, message: str) -> RunError:
        return RunError(message, place=str(self.place.lmdb), hint=_pack_hint(self.place, overwrite=True))


def _pack_hint(place: PackPlace, *, overwrite: bool = False) -> str:
    if not place.lmdb.name.endswith("_lmdb"):
        return "give the folder of a packed split, such as `tmp_data/nuscenes/v1.0-trainval/val_lmdb`"
    target = place.metas.parent
    command = (
        f"specgen data pack --src-data-dir DIR --target-data-dir {target} --version {place.version} "
        f"--split-name {place.split} --pack-type lmdb"
    )
    if overwrite:
        return f"pack it again: `{command} --overwrite`"
    return f"make it with `{command}`; without nuScenes, `specgen data synth --out DIR` makes a DIR for it"
