"""Digests of the packs behind the loaders of a spec, as they are now."""

from __future__ import annotations

from pathlib import Path

from specgen.document import Node


def pack_digests(spec: Node, root: Path) -> dict[str, str]:
    """Digest of the pack of each loader, by the loader's name; paths of the spec start from `root`.

    Loaders whose pack is missing or harmed, and those of other data sets, are left out.
    """
    from runtime.data.pack_format import PackPlace
    from runtime.data.pack_reader import read_manifest
    from runtime.errors import RunError

    digests = {}
    for name, loader in spec.at("data").items():
        dataset = loader.plain_at("dataset", default={})
        if not isinstance(dataset, dict) or not isinstance(dataset.get("data_path"), str):
            continue
        metas = dataset.get("map_path")
        try:
            place = PackPlace.of_lmdb(root / dataset["data_path"], root / metas if metas else None)
            digests[name] = read_manifest(place).digest
        except RunError:
            continue
    return digests
