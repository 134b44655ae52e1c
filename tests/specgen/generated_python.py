"""What generated Python may hold: imports, functions that return one expression, constants and calls."""

from __future__ import annotations

import ast
from collections.abc import Iterable

STANDARD = {"collections.abc", "pathlib", "sys"}
OWN = {"model", "tasks", "data", "augment", "target"}
# The lines of every stage script that are no function: where it lies, and that it runs.
STAGE_LINES = """
EXPERIMENT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(EXPERIMENT))
sys.path.append(str(Path.cwd()))
"""


class NotComposition(AssertionError):
    """Generated Python holds something else than imports, constants and calls."""


def check_generated_python(text: str, *, plugins: Iterable[str] = ()) -> None:
    """Passes for text that only composes: imports of the runtime, of `plugins` and of the experiment's own
    files, functions without arguments that return one expression, constants.

    Raises:
        NotComposition: for anything else; the message says what, and in which line.
    """
    tree = ast.parse(text)
    allowed = STANDARD | OWN | set(plugins)
    stage_lines = {ast.dump(line) for line in ast.parse(STAGE_LINES).body}
    for node in tree.body:
        match node:
            case ast.Expr(value=ast.Constant(value=str())) if node is tree.body[0]:
                continue
            case _ if ast.dump(node) in stage_lines:
                continue
            case ast.Import(names=names):
                _imports([name.name for name in names], allowed, node)
            case ast.ImportFrom(module=str(module), level=0):
                _imports([module], allowed, node)
            case ast.FunctionDef():
                _function(node)
            case ast.Assign(targets=[ast.Name()], value=value) if not isinstance(value, ast.Call):
                _expression(value)
            case ast.If():
                _main(node)
            case _:
                raise NotComposition(f"line {node.lineno}: {ast.unparse(node)}")


def _imports(modules: list[str], allowed: set[str], node: ast.stmt) -> None:
    for module in modules:
        if module.split(".")[0] != "runtime" and module not in allowed:
            raise NotComposition(f"line {node.lineno}: imports {module}")


def _function(node: ast.FunctionDef) -> None:
    plain = not node.decorator_list and ast.unparse(node.args) == ""
    match node.body:
        case [ast.Expr(value=ast.Constant(value=str())), ast.Return(value=ast.expr() as value)] if plain:
            _expression(value)
        case _:
            raise NotComposition(f"line {node.lineno}: `{node.name}` is more than one expression")


def _main(node: ast.If) -> None:
    """`if __name__ == "__main__": run_stage(stage=..., experiment=EXPERIMENT, ...)`."""
    match node.body:
        case [ast.Expr(value=ast.Call() as call)] if ast.unparse(node.test) == "__name__ == '__main__'":
            _expression(call)
        case _:
            raise NotComposition(f"line {node.lineno}: {ast.unparse(node)}")


def _expression(node: ast.expr) -> None:
    match node:
        case ast.Constant() | ast.Name() | ast.Attribute(value=ast.Name()):
            return
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant()):
            return
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            inner = list(parts)
        case ast.Dict(keys=keys, values=values):
            inner = [key for key in keys if key is not None] + values
            if len(inner) != 2 * len(values):
                raise NotComposition(f"line {node.lineno}: a map is unpacked")
        case ast.Call(func=ast.Name() | ast.Attribute(value=ast.Name()), args=[], keywords=keywords):
            inner = [keyword.value for keyword in keywords]
            if any(keyword.arg is None for keyword in keywords):
                raise NotComposition(f"line {node.lineno}: arguments are unpacked")
        case _:
            raise NotComposition(f"line {node.lineno}: {ast.unparse(node)}")
    for part in inner:
        _expression(part)
