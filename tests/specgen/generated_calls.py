"""Calls in a generated file."""

import ast


def keywords(text: str, call: str) -> dict[str, str]:
    """The keyword arguments of the one call of `call` in a generated file, as source."""
    (found,) = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == call
    ]
    return {argument.arg or "**": ast.unparse(argument.value) for argument in found.keywords}
