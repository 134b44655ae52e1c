"""`model.hbm`: a program on disk, a zip file of three parts without compression.

`manifest.json` says what it is and for which march, with the digests of the others; `program.json` has layers
and instructions; `constants.npz` what lies in DDR before the first run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runtime.atomic_file import write_bytes
from runtime.bpu.march_data import March
from runtime.bpu.march_digest import march_digest
from runtime.bpu.program.archive import archive, parts_of
from runtime.bpu.program.checked_json import entries, keyed, parse, text
from runtime.bpu.program.constant_file import decode_constants, encode_constants
from runtime.bpu.program.decode_program import decode_program
from runtime.bpu.program.encode_program import encode_program
from runtime.bpu.program.program import Program
from runtime.bpu.simulator.check_march import check_march
from runtime.bpu.simulator.verify import verify
from runtime.errors import RunError

FORMAT, VERSION = "specgen.hbm", 1
MAX_BYTES = 2**29
"""Of a file: sixty times a full-size model."""
MAX_PROGRAM_BYTES = 2**24
"""Of `program.json`, which takes more memory than bytes once it is read."""
_MAX_MANIFEST_BYTES = 2**16
_PARTS = ("manifest.json", "program.json", "constants.npz")
_HEADER = ("march", "march_digest", "source")
_AGAIN = "run the stage `compile` again"


def write_hbm(path: Path, program: Program) -> str:
    """Write a program; equal programs give equal bytes. Returns the digest of the content.

    Raises:
        RunError: the program makes no sense or is too large, or the file cannot be written.
    """
    verify(program)
    parts = {"program.json": encode_program(program), "constants.npz": encode_constants(program.constants)}
    manifest = _manifest(program, parts)
    content = archive({"manifest.json": manifest, **parts})
    if len(parts["program.json"]) > MAX_PROGRAM_BYTES or len(content) > MAX_BYTES:
        raise RunError(
            f"the program takes {len(parts['program.json'])} bytes of {len(content)}, at most "
            f"{MAX_PROGRAM_BYTES} of {MAX_BYTES}",
            place=str(path),
        )
    write_bytes(path, content)
    return hashlib.sha256(manifest).hexdigest()


def read_hbm(path: Path, march: March | None = None) -> Program:
    """The program of a file that `write_hbm` wrote.

    Memory stays within a few times the size of the file, and of 16 MB of instructions.

    Args:
        march: the chip that is to run it; None asks for no certain one.

    Raises:
        RunError: no such file; it is too large, damaged, foreign, of another version, for another march or
            one that has changed since, or its program makes no sense, or none on that chip.
    """
    if not path.is_file():
        raise RunError("no such file", place=str(path), hint="run the stage `compile` first")
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise RunError(f"the file has {size} bytes, at most {MAX_BYTES} are read", place=str(path))
    try:
        program = _program(path.read_bytes(), march)
        verify(program)
        if march is not None:
            check_march(program, march)
    except OSError as error:
        raise RunError(error.strerror or str(error), place=str(path)) from error
    except ValueError as error:
        raise RunError(
            f"no readable HBM file of {size} bytes: {error}",
            place=str(path),
            hint=f"copy the file again, or {_AGAIN}",
        ) from error
    except RunError as error:
        raise RunError(error.message, place=str(path), hint=error.hint or _AGAIN) from error
    return program


def _manifest(program: Program, parts: Mapping[str, bytes]) -> bytes:
    content = {
        "format": FORMAT,
        "version": VERSION,
        **{key: getattr(program, key) for key in _HEADER},
        "options": dict(program.options),
        "digests": {name: hashlib.sha256(part).hexdigest() for name, part in parts.items()},
    }
    return (json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n").encode()


def _program(content: bytes, march: March | None) -> Program:
    """ValueErrors are for what nobody can mend but by another copy."""
    parts = parts_of(content)
    if "manifest.json" not in parts:
        raise ValueError("it has no manifest")
    if len(parts["manifest.json"]) > _MAX_MANIFEST_BYTES:
        raise ValueError(f"its manifest takes {len(parts['manifest.json'])} bytes")
    manifest = parse(parts["manifest.json"])
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ValueError("its manifest is not that of an HBM file")
    version = manifest.get("version")
    if type(version) is not int or version != VERSION:
        raise RunError(
            f"HBM of version {str(version)[:20]}, this program reads version {VERSION}", hint=_AGAIN
        )
    keyed(manifest, "format", "version", *_HEADER, "options", "digests")
    header: dict[str, Any] = {key: text(manifest[key]) for key in _HEADER}
    header["options"] = entries(manifest["options"], _option)
    if tuple(parts) != _PARTS:
        raise ValueError(f"it has the parts {', '.join(parts)[:80]}, expected {', '.join(_PARTS)}")
    if len(parts["program.json"]) > MAX_PROGRAM_BYTES:
        raise ValueError(f"its program takes {len(parts['program.json'])} bytes")
    if march is not None:
        _check_march(header, march)
    constants = decode_constants(parts["constants.npz"])
    program = decode_program(parts["program.json"], header, constants)
    whole = {name: parts[name] for name in _PARTS[1:]}
    if archive({"manifest.json": _manifest(program, whole), **whole}) != content:
        raise ValueError("its content is not what its digests say")
    return program


def _option(value: Any) -> int | str:
    if type(value) is not int and type(value) is not str:
        raise ValueError("an option is neither number nor word")
    return value


def _check_march(header: Mapping[str, Any], march: March) -> None:
    if header["march"] != march.name:
        raise RunError(
            f"the program is for the march `{header['march'][:40]}`, not for `{march.name}`", hint=_AGAIN
        )
    if header["march_digest"] != march_digest(march):
        raise RunError(
            f"what is known of the march `{march.name}` has changed since the program was compiled",
            hint=_AGAIN,
        )
