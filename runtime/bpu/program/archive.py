"""Zip files of a few named parts without compression: equal parts give equal bytes, on every machine.

Nothing in them can be larger than the file, and each byte is either content or fixed, so that a file that was
changed anywhere is told from one that `archive` wrote.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping

_WRITTEN = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_PERMISSIONS = 0o644 << 16
_END = struct.Struct("<4s4H2LH")
_MAX_PARTS = 16
_MAX_DIRECTORY = 4096


def archive(parts: Mapping[str, bytes]) -> bytes:
    """The file with these parts, in their order."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as file:
        for name, content in parts.items():
            info = zipfile.ZipInfo(name, _WRITTEN)
            info.create_system = _UNIX
            info.external_attr = _PERMISSIONS
            file.writestr(info, content)
    return buffer.getvalue()


def parts_of(content: bytes) -> dict[str, bytes]:
    """The parts by name, in their order.

    Raises:
        ValueError: these bytes are no zip file, or not one of few, uncompressed, undamaged parts.
    """
    # The directory first: `zipfile` would make objects of as many entries as it names.
    if len(content) < _END.size:
        raise ValueError("no zip file")
    signature, disk, first_disk, here, count, size, _, comment = _END.unpack(content[-_END.size :])
    if signature != b"PK\x05\x06":
        raise ValueError("no zip file, or its end is missing")
    if (disk, first_disk, here, comment) != (0, 0, count, 0) or count > _MAX_PARTS or size > _MAX_DIRECTORY:
        raise ValueError(f"a zip file with a directory of {count} parts in {size} bytes")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            infos = file.infolist()
            if len({info.filename for info in infos}) < len(infos):
                raise ValueError("a zip file with two parts of one name")
            if any(info.compress_type != zipfile.ZIP_STORED or info.flag_bits for info in infos):
                raise ValueError("a zip file with compressed or encrypted parts")
            if sum(info.file_size for info in infos) > len(content):
                raise ValueError("a zip file whose parts are larger than itself")
            return {info.filename: file.read(info) for info in infos}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise ValueError(f"a damaged zip file ({error})") from error
    except (struct.error, OverflowError, UnicodeDecodeError) as error:
        raise ValueError(f"a damaged zip file ({error})") from error
