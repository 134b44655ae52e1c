"""Specs that mean harm: refused within a few seconds and little memory, or without any effect."""

from __future__ import annotations

import ast
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from generated_python import NotComposition, check_generated_python

from specgen.diagnostic import SpecError
from specgen.document import Node
from specgen.document import Path as Place
from specgen.emit.lock import LOCK
from specgen.pipeline import CompiledSpec, compiled, generated
from specgen.report import rendered
from specgen.schemas import Schema, Schemas, children
from specgen.sources import Sources

ROOT = Path(__file__).resolve().parents[2]
EXPERIMENTS = sorted((ROOT / "experiments").glob("*/*.py")) + sorted((ROOT / "experiments").glob("*/*/*.py"))
Compile = Callable[..., CompiledSpec]

TEXTS = {
    "a call": '"); import os; os.system("touch pwned"); ("',
    "the end of a docstring": '"""\nimport os\nos.system("touch pwned")\n"""',
    "Jinja": "{{ ''.__class__.__mro__[1].__subclasses__() }}{% include '/etc/passwd' %}",
    "lines": "a\nimport os\r\nimport sys\u2028import re",
    "hidden": "safe\u202egnp.exe\u2066\x1b[2J\x7f",
    "a path": "../../../../etc/passwd",
    "backslashes": "\\" * 9 + "'\\",
    "a format": "{0.__class__} %(x)s $${march}",
}
NAMES = [
    "../x",
    "a/b",
    "/tmp/x",
    "a\nb",
    "bev_x\n",
    "a b",
    'a"b',
    "{{ 7*7 }}",
    "__import__",
    "é",
    "A",
    "",
    ".",
    "a" * 300,
    "1a",
]


# -- inert ---------------------------------------------------------------------------------------------------


def quoted(text: str) -> str:
    """YAML of a text, as a hostile user would put it."""
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\x1b": "\\e", "\x7f": "\\x7f"}
    escapes |= {"\u2028": "\\L", "\u202e": "\\u202e", "\u2066": "\\u2066"}
    return '"' + "".join(escapes.get(c, c) for c in text) + '"'


@pytest.fixture(scope="module")
def reference() -> CompiledSpec:
    # The scale of the images, which `align_bpu` needs, has a rule without a free text.
    rules = "quantization.rules=[{match: img, bits: 8}, {op: input, bits: 8, scale: 0.0078125}]"
    return compiled(ROOT / "specs" / "bev_ipm.yaml", Sources(), (rules,))


def free_texts(node: Node, schema: Schema, schemas: Schemas, path: Place = ()) -> Iterator[Place]:
    """Where a spec takes any text: nothing is said of the value but that it is one."""
    view = schemas.view(schema, node)
    if isinstance(node.value, str) and not {"enum", "const", "pattern", "examples"} & set(view):
        yield path
    for step, child, part in children(view, node):
        yield from free_texts(child, part, schemas, (*path, step))


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_text_stays_a_text(
    text: str, reference: CompiledSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("resolved.yaml").write_text(generated(reference).files["spec.yaml"], encoding="utf-8")
    places = list(free_texts(reference.root, reference.schemas.top, reference.schemas))
    accepted = 0
    for path in places:
        try:
            found = compiled(
                Path("resolved.yaml"), Sources(), (f"{'.'.join(map(str, path))}={quoted(text)}",)
            )
        except SpecError as error:
            assert {item.code for item in error.diagnostics} <= {"E336", "E366"}, path
            continue
        accepted += 1
        assert_inert(found, path, text.replace("$${", "${"))
    assert accepted >= 5
    assert sorted(item.name for item in tmp_path.iterdir()) == ["again.yaml", "resolved.yaml"]


def assert_inert(found: CompiledSpec, path: Place, text: str) -> None:
    """The text is a constant of the generated Python, and the same when the resolved spec is read again."""
    files = generated(found).files
    constants = []
    for name, content in files.items():
        if name.endswith(".py"):
            check_generated_python(content)
            constants += [n.value for n in ast.walk(ast.parse(content)) if isinstance(n, ast.Constant)]
        assert not any("\u202a" <= c <= "\u2069" or c in "\x1b\x7f" for c in content), name
    assert text in constants, path
    Path("again.yaml").write_text(files["spec.yaml"], encoding="utf-8")
    assert compiled(Path("again.yaml"), Sources()).root.plain_at(*path) == text


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: small\n", "name: {}\n"),
        ("  val:\n    type: DataLoader", "  {}:\n    type: DataLoader"),
        ("name: bev_seg\n", "name: {}\n"),
        ("common_heads: {reg:", "common_heads: {{{}:"),
        ("march: bayes\n", "march: bayes\n{}: 1\n"),
        ("  float:\n", "  {}: null\n  float:\n"),
        ("vars:\n", "vars:\n  {}: 1\n"),
    ],
    ids=["experiment", "loader", "task", "branch", "section", "stage", "variable"],
)
def test_a_name_that_is_none_is_refused_or_harmless(name: str, old: str, new: str, tmp_path: Path) -> None:
    text = (ROOT / "specgen" / "codes" / "base.yaml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "small.yaml"
    path.write_text(text.replace(old, new.format(quoted(name)), 1), encoding="utf-8")
    sources = Sources()
    try:
        files = generated(compiled(path, sources)).files
    except SpecError as error:
        message = rendered(error.diagnostics, sources)
        assert "error[E" in message and "\x1b" not in message
        return
    for file, content in files.items():
        assert file.replace("/", "").replace(".", "").replace("_", "").isalnum() and ".." not in file
        if file.endswith(".py"):
            check_generated_python(content)


# -- refused -------------------------------------------------------------------------------------------------

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join(['*' + old] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
GROWING = (
    "vars:\n" + "".join(f"  v{i}: ['${{v{i + 1}}}', '${{v{i + 1}}}']\n" for i in range(40)) + "  v40: 1\n"
)
HUGE = {
    "aliases": (LAUGHS, "E007"),
    "variables": (GROWING + "a: ${v0}\n", "E010"),
    "variables in texts": (
        GROWING.replace("['", "'").replace("', '", "").replace("']", "'") + "a: ${v0}\n",
        "E010",
    ),
    "nested variables": (
        "vars:\n"
        + "".join(f"  v{i}: {'[' * 30}'${{v{i + 1}}}'{']' * 30}\n" for i in range(40))
        + "  v40: 1\na: ${v0}\n",
        "E010",
    ),
    "10 MB of text": ("a: " + "x" * 10_000_000, "E001"),
    "10 MB of list": ("a: [" + "1," * 5_000_000 + "]", "E001"),
    "a list of 400 000": ("a: [" + "1," * 400_000 + "]", "E010"),
    "60 000 keys": ("".join(f"k{i}: 1\n" for i in range(60_000)), "E010"),
    "4 500 unknown keys": ("".join(f"k{i}: 1\n" for i in range(4_500)), "E102"),
    "3 000 wrong components": (
        "name: x\nmarch: bayes\nmodel: {type: BevStructure, bev_transforms: ["
        + "{type: x}," * 3_000
        + "]}\n",
        "E105",
    ),
    "brackets": ("a: " + "[" * 500_000, "E010"),
    "levels": ("".join(" " * i + "k:\n" for i in range(1_000)), "E010"),
    "a number of 500 000 digits": ("a: " + "9" * 500_000, "E009"),
    "a large exponent": ("a: 1e999999999", "E009"),
    "an open quote": ('a: "' + "x" * 900_000, "E003"),
    "a device without end": ("extends: /dev/zero\n".replace("/dev", "../" * 30 + "dev"), "E001"),
}
RUN = """
import resource, sys
from pathlib import Path
from specgen.diagnostic import SpecError
from specgen.pipeline import compiled
from specgen.report import rendered
from specgen.schemas import Schema, Schemas, children
from specgen.sources import Sources
sources = Sources()
try:
    compiled(Path(sys.argv[1]), sources)
except SpecError as error:
    print(len(rendered(error.diagnostics, sources)), *{item.code for item in error.diagnostics})
usage = resource.getrusage(resource.RUSAGE_SELF)
# `ru_maxrss` would count the process that this one was forked from.
status = Path("/proc/self/status")
lines = status.read_text().splitlines() if status.exists() else []
peak = [line.split()[1] for line in lines if line.startswith("VmHWM")]
print(usage.ru_utime + usage.ru_stime, *(peak or ["0"]))
"""
MOST_SECONDS, MOST_KILOBYTES, LONGEST_MESSAGE = 20, 300_000, 100_000


@pytest.mark.parametrize(("text", "code"), HUGE.values(), ids=HUGE.keys())
def test_too_much_is_refused_in_time(text: str, code: str, tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(text, encoding="utf-8")

    def bounded() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (2 * MOST_SECONDS, 2 * MOST_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (2 * 1024**3, 2 * 1024**3))

    done = subprocess.run(
        [sys.executable, "-c", RUN, str(path)],
        env={"PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        preexec_fn=bounded,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-500:]
    first, last = done.stdout.splitlines()
    length, *codes = first.split()
    seconds, kilobytes = map(float, last.split())
    assert code in codes
    assert int(length) < LONGEST_MESSAGE and seconds < MOST_SECONDS and kilobytes < MOST_KILOBYTES


# -- what is generated ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_committed_experiments_only_compose(path: Path) -> None:
    check_generated_python(path.read_text(encoding="utf-8"))


def test_there_are_committed_experiments() -> None:
    assert len(EXPERIMENTS) >= 12


@pytest.mark.parametrize(
    "line",
    [
        "import os",
        "from os import system",
        "x = open(file='f')",
        "print('x')",
        "for i in []: pass",
        "def f(): return g(*[])",
        "def f(a=1): return 1",
        "@d\ndef f(): return 1",
        "def f():\n    'doc'\n    return [i for i in ()]",
        "def f():\n    'doc'\n    return lambda: 1",
        "def f():\n    'doc'\n    return a.b.c(x=1)",
        "def f():\n    'doc'\n    return f'{1}'",
        "class A: pass",
        "sys.path.insert(0, 'elsewhere')",
    ],
)
def test_the_check_finds_everything_else(line: str) -> None:
    with pytest.raises(NotComposition):
        check_generated_python(f'"""Doc."""\n{line}\n')


def test_the_lock_is_toml_for_hostile_options(compile_spec: Compile) -> None:
    import tomllib

    text = "model.backbone.activation=relu"
    for extra in ('data.train.dataset.data_path="\\"]\\n[files]\\n\\"x\\" = \\"y\\""', text):
        lock = tomllib.loads(generated(compile_spec("specs/bev_ipm.yaml", extra)).files[LOCK])
        assert set(lock) == {"specgen", "spec", "set", "specs", "schemas", "templates", "files"}
        assert lock["set"] == [extra]
