"""One read-only LMDB handle for each file and process, shared by all readers of that file."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final
from weakref import WeakValueDictionary

import lmdb

_MAGIC: Final = 0xBEEFC0DE
_PAGE_HEADER: Final = 16
_META: Final = struct.Struct("<IIQQ48s48sQQ")
"""Magic, version, address, map size, tree of free pages, tree of data, last page, transaction."""

_opened: WeakValueDictionary[tuple[int, int], LmdbFile] = WeakValueDictionary()


class LmdbFile:
    """A read-only LMDB; made by `open_lmdb`, closed when its last reader is gone.

    Without locks and without writing it is nothing but a mapped file: a forked process can go on using the
    handle that it inherited.

    Args:
        folder: that holds `data.mdb`.
    """

    def __init__(self, folder: Path) -> None:
        self._environment = lmdb.open(
            str(folder), readonly=True, lock=False, create=False, readahead=False, max_spare_txns=0
        )

    def get(self, key: bytes) -> bytes | None:
        """The value of a key, or None. lmdb.Error when the file is damaged."""
        with self._environment.begin() as transaction:
            value: bytes | None = transaction.get(key)
        return value

    def __del__(self) -> None:
        environment = getattr(self, "_environment", None)
        if environment is not None:
            environment.close()


def open_lmdb(folder: Path) -> LmdbFile:
    """The process's handle of an LMDB: LMDB forbids a second one, but two datasets may share a pack.

    Raises:
        lmdb.Error, OSError: there is none, it is no LMDB, or its end is missing.
    """
    path = folder / "data.mdb"
    stat = path.stat()
    # The file is mapped into memory: reading past its end would kill the process, so the size comes first.
    used = used_bytes(path)
    if used is None:
        raise lmdb.InvalidError("`data.mdb` has no valid header")
    if stat.st_size < used:
        raise lmdb.CorruptedError(f"`data.mdb` is truncated: it has {stat.st_size} bytes, {used} are in use")
    key = (stat.st_dev, stat.st_ino)
    file = _opened.get(key)
    if file is None:
        file = _opened[key] = LmdbFile(folder)
    return file


def used_bytes(path: Path) -> int | None:
    """Bytes of `data.mdb` that its newest meta page says are in use; None when there is no such page.

    LMDB's format 1 on 64-bit machines: the first two pages are meta pages, the one with the higher
    transaction number counts. The page size is the first word of the first tree record.
    """
    pages: list[tuple[int, int]] = []
    with path.open("rb") as file:
        page_size = 0
        for number in (0, 1):
            file.seek(number * page_size)
            head = file.read(_PAGE_HEADER + _META.size)[_PAGE_HEADER:]
            if len(head) < _META.size:
                break
            magic, _, _, _, free_tree, _, last_page, transaction = _META.unpack(head)
            if magic != _MAGIC:
                break
            page_size = int.from_bytes(free_tree[:4], "little") or page_size
            pages.append((transaction, (last_page + 1) * page_size))
    return max(pages)[1] if pages else None
