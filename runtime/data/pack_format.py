"""The packed dataset on disk: paths, keys, records, digests.

    <target>/<version>/<split>_lmdb/                  LMDB with these keys:
        sample:<index, 6 digits>                      record
        image:<token>:<CHANNEL>                       JPEG, as it was
        meta                                          the manifest once more
    <target>/metas/<version>-<split>.manifest.json
    <target>/metas/maps/<location>.json               copy of the map expansion

Records are msgpack with one extension for arrays, so that nothing is ever unpickled. A sample's digest covers
its record and its six images; the total digest covers the version, the split and all sample digests in order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import msgpack
import numpy as np

FORMAT: Final = 1
META_KEY: Final = b"meta"
_ARRAY_CODE: Final = 1
_PARTIAL_SUFFIX: Final = ".partial"


def sample_key(index: int) -> bytes:
    """Key of the record of the sample at `index`."""
    return b"sample:%06d" % index


def image_key(token: str, channel: str) -> bytes:
    """Key of one JPEG."""
    return f"image:{token}:{channel}".encode()


@dataclass(frozen=True)
class PackPlace:
    """Where the pack of one split lies.

    Args:
        lmdb: folder of the LMDB.
        metas: folder of manifests and maps.
        version: name of the tables, such as `v1.0-trainval`.
        split: name before `_lmdb`, such as `train`.
    """

    lmdb: Path
    metas: Path
    version: str
    split: str

    @classmethod
    def under(cls, target: str | Path, version: str, split: str) -> PackPlace:
        """The place of a split in a target folder."""
        root = Path(target)
        return cls(root / version / f"{split}_lmdb", root / "metas", version, split)

    @classmethod
    def of_lmdb(cls, data_path: str | Path, metas: str | Path | None = None) -> PackPlace:
        """The place whose LMDB is `data_path`; by default `metas` lies beside the version's folder."""
        lmdb = Path(data_path)
        version_folder = lmdb.absolute().parent
        return cls(
            lmdb,
            Path(metas) if metas is not None else lmdb.parent.parent / "metas",
            version_folder.name,
            lmdb.name.removesuffix("_lmdb"),
        )

    @property
    def manifest(self) -> Path:
        """Path of the manifest."""
        return self.metas / f"{self.version}-{self.split}.manifest.json"

    @property
    def partial(self) -> Path:
        """Folder in which an unfinished pack grows."""
        return self.lmdb.with_name(self.lmdb.name + _PARTIAL_SUFFIX)

    @property
    def database_file(self) -> Path:
        """The one file that holds the data."""
        return self.lmdb / "data.mdb"


@dataclass(frozen=True)
class SampleEntry:
    """One line of the manifest.

    Args:
        token: nuScenes sample token.
        sha256: digest of record and images.
        bytes: total of the six JPEGs.
    """

    token: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Manifest:
    """What a finished pack must hold.

    Args:
        version, split: as in its path.
        scene_split: the devkit's name of the split whose scenes these are, such as `mini_train`.
        source: digest of tables and maps that were packed.
        map_radius: half side in metres of the square of map lines around the car.
        image_size: (height, width) of all images in pixels.
        samples: in order.
        digest: total digest.
        format: of the records.
    """

    version: str
    split: str
    scene_split: str
    source: str
    map_radius: float
    image_size: tuple[int, int]
    samples: tuple[SampleEntry, ...]
    digest: str
    format: int = FORMAT

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON or msgpack."""
        return asdict(self) | {"samples": [asdict(entry) for entry in self.samples]}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Manifest:
        """Inverse of `to_json`; ValueError when it is of another format, KeyError or TypeError when it is
        something else."""
        if values["format"] != FORMAT:
            raise ValueError(f"it is of format {values['format']}, this version reads format {FORMAT}")
        samples = tuple(SampleEntry(**entry) for entry in values["samples"])
        height, width = values["image_size"]
        return cls(**{**values, "samples": samples, "image_size": (int(height), int(width))})


def encode(value: Any) -> bytes:
    """msgpack bytes of plain values and numpy arrays; the same value gives the same bytes."""
    return msgpack.packb(value, default=_encode_array, use_bin_type=True)


def decode(data: bytes | memoryview) -> Any:
    """Inverse of `encode`; arrays are read-only. ValueError when the bytes are torn."""
    try:
        return msgpack.unpackb(data, ext_hook=_decode_array, raw=False, strict_map_key=False)
    except (ValueError, TypeError, KeyError, msgpack.exceptions.UnpackException) as error:
        raise ValueError(f"no whole record: {error}") from error


def _encode_array(value: Any) -> msgpack.ExtType:
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiub":
        raise TypeError(f"cannot pack {type(value).__name__}")
    little = value.dtype.newbyteorder("<")
    content = np.ascontiguousarray(value).astype(little, copy=False).tobytes()
    return msgpack.ExtType(_ARRAY_CODE, msgpack.packb((little.str, list(value.shape), content)))


def _decode_array(code: int, data: bytes) -> np.ndarray:
    if code != _ARRAY_CODE:
        raise ValueError(f"unknown extension {code}")
    dtype, shape, content = msgpack.unpackb(data)
    return np.frombuffer(content, dtype=np.dtype(dtype)).reshape(shape)


def sample_digest(record: bytes, images: Iterable[bytes | memoryview]) -> str:
    """sha256 of a record and its images; lengths are part of it, so that nothing can move between them."""
    digest = hashlib.sha256()
    for part in (record, *images):
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()


def total_digest(version: str, split: str, sample_digests: Sequence[str]) -> str:
    """sha256 over the identity of the pack and its samples in order."""
    digest = hashlib.sha256(encode([FORMAT, version, split]))
    for sample in sample_digests:
        digest.update(bytes.fromhex(sample))
    return digest.hexdigest()
