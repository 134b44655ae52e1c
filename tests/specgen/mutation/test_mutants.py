"""Thousands of wrong specs: each is refused at its line, or accepted for a reason that is checked on its own.

The default run takes every seventeenth mutant; `-m slow` takes them all, and prints how many there were.
"""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from referencing import Registry, Resource

from specgen.diagnostic import SpecError
from specgen.document import Node
from specgen.pipeline import CompiledSpec, compiled, generated
from specgen.sources import Sources

ROOT = Path(__file__).resolve().parents[3]
NAMES = ["bev_ipm", "bev_ipm_tiny"]
STEP = 17
WELL_PLACED = 0.95
# Maps whose keys are names that a spec chooses.
NAMED_BY_THE_SPEC = {"vars", "data", "common_heads"}
# What a parent has in these, a derived spec leaves out by `null`.
LEFT_OUT_BY_NULL = {("data",), ("stages",)}


@dataclass
class Tally:
    """What became of the mutants: how many, and the ones that show a mistake of the compiler."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    misplaced: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """The part of the refused mutants whose message is at the changed line."""
        return self.counts["well placed"] / self.counts["refused"]


@pytest.fixture(scope="module")
def judge() -> jsonschema.Draft202012Validator:
    """The schemas as any validator reads them, without the compiler's own notions."""
    folder = ROOT / "schemas"
    resources = [
        (path.relative_to(folder).as_posix(), Resource.from_contents(json.loads(path.read_text("utf-8"))))
        for path in sorted(folder.rglob("*.schema.json"))
    ]
    assert len(resources) > 70
    base = "https://schemas.example/"
    registry: Registry[Any] = Registry().with_resources([(base + name, item) for name, item in resources])
    return jsonschema.Draft202012Validator({"$ref": base + "spec.schema.json"}, registry=registry)


@pytest.fixture(params=NAMES)
def specs(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a spec, in a folder that holds all of them."""
    for path in (ROOT / "specs").glob("*.yaml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.chdir(tmp_path)
    return str(request.param)


def outcome(text: str) -> CompiledSpec | SpecError:
    Path("mutant.yaml").write_text(text, encoding="utf-8")
    try:
        return compiled(Path("mutant.yaml"), Sources())
    except SpecError as error:
        return error


def tally(mutants: Iterator[Any], original: CompiledSpec, judge: jsonschema.Draft202012Validator) -> Tally:
    result = Tally()
    for mutant in mutants:
        title = f"{mutant.kind} {'.'.join(map(str, mutant.path))} {mutant.value or ''}".strip()
        result.counts["mutants"] += 1
        found = outcome(mutant.text)  # anything but a SpecError ends the test here
        if isinstance(found, SpecError):
            result.counts["refused"] += 1
            places = {(item.span.file, item.span.line) for item in found.diagnostics}
            if places & {("mutant.yaml", line) for line in mutant.lines}:
                result.counts["well placed"] += 1
            else:
                result.misplaced.append(title)
            continue
        result.counts["accepted"] += 1
        problem = no_reason_to_accept(mutant, found, original, judge)
        if problem is not None:
            result.wrong.append(f"{title}: {problem}")
    return result


def no_reason_to_accept(
    mutant: Any, found: CompiledSpec, original: CompiledSpec, judge: jsonschema.Draft202012Validator
) -> str | None:
    """Why the mutant should have been refused, None when its change is in the result and allowed there."""
    error = next(judge.iter_errors(found.root.plain()), None)
    if error is not None:
        return f"the schemas do not allow it: {error.message}"
    files = generated(found).files
    for name, text in files.items():
        if name.endswith(".py"):
            ast.parse(text)
    if mutant.path[0] == "vars":
        return effect_of_variable(mutant, found, original)
    node, parent = found.root.get(*mutant.path), found.root.get(*mutant.path[:-1])
    assert parent is not None
    if mutant.kind == "duplicated":
        return effect_on_list(parent, original.root.get(*mutant.path[:-1]), 1)
    if mutant.kind == "removed":
        if parent.is_list:
            return effect_on_list(parent, original.root.get(*mutant.path[:-1]), -1)
        written_here = node is not None and node.written and node.span.file == "mutant.yaml"
        return "the value is still there" if written_here else None
    if mutant.value is None:
        return None if mutant.path[-2] in NAMED_BY_THE_SPEC else "the key means nothing here"
    value = yaml.safe_load(mutant.value)
    if value is None and node is None and mutant.path[:-1] in LEFT_OUT_BY_NULL:
        return None
    if node is None or type(node.plain()) is not type(value) or node.plain() != value:
        # A map takes what it lacks from the parent spec and from defaults.
        whole = isinstance(value, dict) and node is not None and value.items() <= node.plain().items()
        return None if whole else f"the value is {node.plain() if node is not None else 'missing'}"
    return None


def effect_on_list(after: Node, before: Node | None, change: int) -> str | None:
    assert before is not None
    lengths = len(after.elements()), len(before.elements())
    return None if lengths[0] == lengths[1] + change else f"the list has {lengths[0]} elements"


def effect_of_variable(mutant: Any, found: CompiledSpec, original: CompiledSpec) -> str | None:
    if found.root.plain() != original.root.plain():
        return None
    same = mutant.kind == "removed"  # of a variable that the parent sets alike
    return None if same else "the variable changes nothing"


@pytest.mark.parametrize("step", [STEP, pytest.param(1, marks=pytest.mark.slow)])
def test_mutants(
    specs: str,
    step: int,
    mutants_of: Callable[[str], Iterator[Any]],
    judge: jsonschema.Draft202012Validator,
    record_property: Callable[[str, object], None],
) -> None:
    text = (ROOT / "specs" / f"{specs}.yaml").read_text(encoding="utf-8")
    original = outcome(text)
    assert isinstance(original, CompiledSpec)
    every = list(mutants_of(text))
    assert len(every) > (4000 if specs == "bev_ipm" else 1200)
    result = tally(iter(every[::step]), original, judge)
    record_property("mutants", dict(result.counts))
    share = f"{result.share:.1%} at the changed line"
    print(specs, dict(result.counts), share, *result.misplaced, sep="\n  ")
    assert not result.wrong, "\n".join(result.wrong)
    assert result.share >= WELL_PLACED, "\n".join(result.misplaced)
