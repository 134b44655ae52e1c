"""What the compiler's tests share."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from specgen.diagnostic import SpecError
from specgen.pipeline import CompiledSpec, compiled
from specgen.report import rendered
from specgen.sources import Sources

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(Path(__file__).parent))  # for `generated_python`
Compile = Callable[..., CompiledSpec]


@pytest.fixture
def compile_spec(monkeypatch: pytest.MonkeyPatch) -> Compile:
    """Compiles as a user in the repository's root would: `compile_spec("specs/x.yaml", "a.b=1")`."""
    monkeypatch.chdir(ROOT)

    def compile_(spec: str, *sets: str) -> CompiledSpec:
        return compiled(Path(spec), Sources(), sets)

    return compile_


@pytest.fixture
def report_of(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """The text that a user in the repository's root reads for a spec that is wrong."""
    monkeypatch.chdir(ROOT)

    def report(spec: str, *sets: str, style: str = "text") -> str:
        sources = Sources()
        with pytest.raises(SpecError) as caught:
            compiled(Path(spec), sources, sets)
        return rendered(caught.value.diagnostics, sources, style)

    return report
