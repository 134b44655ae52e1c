"""Checking a pack against its manifest, byte by byte."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from runtime.data.pack_format import Manifest, sample_digest, total_digest
from runtime.data.pack_reader import PackReader
from runtime.data.progress import Progress, silent
from runtime.errors import RunError


def verify(
    data_path: str | Path,
    *,
    metas: str | Path | None = None,
    progress: Progress = silent,
) -> Manifest:
    """Read every record and image of a pack and compare digests.

    Args:
        data_path: the `<split>_lmdb` folder.
        metas: folder of manifests; by default `metas` beside the version's folder.
        progress: called with samples done, samples in all, and a word on what is being done.

    Returns:
        The manifest, when everything agrees.

    Raises:
        RunError: something is missing, torn or changed; the first such sample is named.
    """
    with closing(PackReader(data_path=data_path, metas=metas)) as reader:
        return _compare(reader, progress)


def _compare(reader: PackReader, progress: Progress) -> Manifest:
    manifest = reader.manifest
    total = len(reader)
    for index, entry in enumerate(manifest.samples):
        found = sample_digest(reader.record_bytes(index), reader.images(index))
        if found != entry.sha256:
            raise RunError(
                f"sample `{entry.token}` was changed: its digest is {found[:12]}, "
                f"the manifest says {entry.sha256[:12]}",
                place=str(reader.place.lmdb),
                hint="pack it again with `specgen data pack ... --overwrite`",
            )
        progress(index + 1, total, "samples")
    digest = total_digest(manifest.version, manifest.split, [entry.sha256 for entry in manifest.samples])
    if digest != manifest.digest:
        raise RunError(
            f"the manifest does not agree with itself: its samples give the total digest {digest[:12]}, "
            f"it says {manifest.digest[:12]}",
            place=str(reader.place.manifest),
        )
    return manifest
