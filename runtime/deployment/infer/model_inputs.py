"""What `--model-inputs` names: a folder of images, or a packed sample."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from runtime.data.pack_reader import PackReader
from runtime.deployment.infer.frame import Frame
from runtime.deployment.infer.image_folder import read_folder
from runtime.deployment.infer.packed_sample import find_sample, packed_frame
from runtime.errors import RunError

_FORMS = "`img:DIR`, `sample:INDEX`, `sample:TOKEN` or `pack:PATH#INDEX`"


def read_inputs(text: str, validation: Callable[[], PackReader]) -> Frame:
    """The frame that a text names.

    Args:
        text: `img:DIR`, or a packed sample as `find_packed` takes it.
        validation: opens the pack of the experiment's validation dataset.

    Raises:
        RunError: another text, or what it names is missing or wrong.
    """
    kind, colon, rest = text.partition(":")
    if colon and kind == "img" and rest:
        return read_folder(Path(rest))
    return packed_frame(*find_packed(text, validation))


def find_packed(text: str, validation: Callable[[], PackReader]) -> tuple[PackReader, int]:
    """The pack and the index of the sample that a text names.

    Args:
        text: `sample:X` of the validation pack or `pack:PATH#X`, X an index from 0 or a token.
        validation: opens the pack of the experiment's validation dataset.

    Raises:
        RunError: another text, no such pack or sample, or a damaged pack.
    """
    kind, _, rest = text.partition(":")
    if kind == "sample" and rest:
        reader = validation()
        return reader, find_sample(reader, rest)
    if kind == "pack" and rest:
        path, hash_sign, wanted = rest.rpartition("#")
        if not (hash_sign and path and wanted):
            raise RunError(f"`{text}` does not say which sample", hint=f"write `pack:{path or rest}#0`")
        reader = PackReader(data_path=path)
        return reader, find_sample(reader, wanted)
    raise RunError(f"`{text}` names no sample", hint=f"write {_FORMS}")
