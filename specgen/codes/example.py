"""A wrong spec that shows what a code means: a small right one with a few words changed, or a text."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

from specgen.diagnostic import SpecError
from specgen.pipeline import compiled
from specgen.report import rendered
from specgen.sources import Sources

FILE = "small.yaml"
_BASE = Path(__file__).parent / "base.yaml"

Edit = tuple[str, str]


def base_text() -> str:
    """The small spec that the examples start from; it is right as it is."""
    return _BASE.read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Example:
    """A wrong spec.

    Attributes:
        edits: (old, new) words of `base.yaml`; each is there.
        text: a whole spec, instead.
        sets: `--set` options that it is compiled with.
        files: (path, text) of other files in the folder of the spec.
    """

    edits: tuple[Edit, ...] = ()
    text: str | None = None
    sets: tuple[str, ...] = ()
    files: tuple[tuple[str, str], ...] = ()

    def spec(self) -> str:
        """The wrong spec's text.

        Raises:
            ValueError: when words to change are not in `base.yaml`.
        """
        if self.text is not None:
            return self.text
        text = base_text()
        for old, new in self.edits:
            if old not in text:
                raise ValueError(f"`base.yaml` has no {old!r}")
            text = text.replace(old, new)
        return text


@dataclass(frozen=True, slots=True)
class Told:
    """What the compiler says of a spec: the codes, and the text that a person reads."""

    codes: tuple[str, ...]
    text: str


def told(example: Example) -> Told:
    """What the compiler says of the example; nothing when it is right after all."""
    sources = Sources()
    with tempfile.TemporaryDirectory(prefix="specgen") as folder:
        path = Path(folder) / FILE
        for name, text in ((FILE, example.spec()), *example.files):
            (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / name).write_text(text, encoding="utf-8", newline="\n")
        try:
            # Plugins are looked for in the current folder.
            with contextlib.chdir(folder):
                compiled(path, sources, example.sets, shown=FILE)
        except SpecError as error:
            codes = tuple(sorted({item.code for item in error.diagnostics}))
            return Told(codes, rendered(error.diagnostics, sources))
    return Told((), "")
