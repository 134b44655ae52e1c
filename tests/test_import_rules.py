"""Who may import whom: the walls between the rooms, held by reading every import statement."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Of `quantization`, what `hbir` may use: the arithmetic, not the modules that are trained with it.
ARITHMETIC = "runtime.quantization.arithmetic"

# Room of `runtime` -> the rooms it may import besides itself and what every room may use.
ALLOWED = {
    "errors": set(),
    "atomic_file": set(),
    "text_columns": set(),
    "web_page": set(),
    "geometry": set(),
    "models": {"geometry"},
    "tasks": {"geometry", "evaluation"},
    "data": {"geometry"},
    "evaluation": {"geometry"},
    "visualization": {"geometry"},
    "quantization": {"models"},
    "hbir": {"quantization"},
    "bpu": {"hbir"},
    "training": {"geometry", "models", "tasks", "data", "quantization", "evaluation"},
    "deployment": {
        *("geometry", "models", "tasks", "data", "quantization", "evaluation"),
        *("training", "hbir", "bpu", "visualization"),
    },
}
FOR_ALL = {"errors", "atomic_file", "text_columns", "web_page"}
# Drawing what a stage predicted is the one place that puts pictures beside training; a plan for 16 bits asks
# the hardware model for cycles.
EXTRA = {
    "runtime/training/sample_pictures.py": {"visualization"},
    "runtime/training/march_cycles.py": {"bpu"},
    "runtime/training/quantization_report.py": {"bpu"},
}
HEAVY = {"torch", "numpy", "cv2", "lightning", "runtime", "matplotlib", "lmdb", "nuscenes"}


def _imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Every module that a file imports when it runs, with whether the statement stands inside a function."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tree.body = [node for node in tree.body if not _only_for_types(node)]
    inside = {
        id(child)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for child in ast.walk(function)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in inside
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import hides which room is meant"
            yield node.module or "", id(node) in inside


def _only_for_types(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _files(folder: str) -> list[Path]:
    found = sorted((ROOT / folder).rglob("*.py"))
    assert len(found) > 20, f"{folder} holds only {len(found)} Python files: is the path right?"
    return [path for path in found if "_data" not in path.parts]


@pytest.mark.parametrize("path", _files("runtime"), ids=lambda path: str(path.relative_to(ROOT)))
def test_runtime_rooms(path: Path) -> None:
    relative = path.relative_to(ROOT)
    if relative == Path("runtime/__init__.py"):
        return
    room = relative.parts[1].removesuffix(".py")
    may = ALLOWED[room] | {room} | FOR_ALL | EXTRA.get(str(relative), set())
    for module, _ in _imports(path):
        parts = module.split(".")
        assert parts[0] != "specgen", f"{relative} imports {module}"
        if parts[0] == "runtime" and len(parts) > 1:
            assert parts[1] in may, f"{relative} imports {module}: `{room}` may not import `{parts[1]}`"
            if room == "hbir" and parts[1] == "quantization":
                assert module.startswith(ARITHMETIC), f"{relative} imports {module}, not {ARITHMETIC}"


@pytest.mark.parametrize("path", _files("specgen"), ids=lambda path: str(path.relative_to(ROOT)))
def test_compiler_is_light(path: Path) -> None:
    relative = path.relative_to(ROOT)
    in_cli = relative.parts[1] == "cli"
    for module, in_function in _imports(path):
        if module.split(".")[0] in HEAVY:
            assert in_cli and in_function, f"{relative} imports {module} outside a function of specgen/cli"
