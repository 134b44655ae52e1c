"""Reads what a program of `torch.export` says of its values: constants, shapes for one sample, modules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, fx
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind

from runtime.hbir.tensor_type import Shape


def constants(program: ExportedProgram) -> dict[str, Tensor]:
    """Parameters, buffers and other tensors that the program holds, by the name of their placeholder."""
    found: dict[str, Tensor] = {}
    for spec in program.graph_signature.input_specs:
        if spec.kind is InputKind.USER_INPUT or spec.target is None:
            continue
        value = program.state_dict.get(spec.target, program.constants.get(spec.target))
        if isinstance(value, Tensor):
            found[spec.arg.name] = value.detach().cpu()
    return found


def input_names(program: ExportedProgram) -> list[str]:
    """Placeholders of what the program is called with."""
    return [
        spec.arg.name for spec in program.graph_signature.input_specs if spec.kind is InputKind.USER_INPUT
    ]


def results(program: ExportedProgram) -> dict[str, fx.Node]:
    """The nodes of the program's results, which are a dictionary, by their keys.

    Raises:
        ValueError: the program returns something else.
    """
    (output,) = (node for node in program.graph.nodes if node.op == "output")
    structure = torch.utils._pytree.tree_unflatten(output.args[0], program.call_spec.out_spec)
    if not isinstance(structure, dict):
        raise ValueError(f"the program returns a {type(structure).__name__}, expected tensors by name")
    return structure


def shape(node: fx.Node) -> Shape:
    """The shape of a value for one sample."""
    return tuple(number(size) for size in node.meta["val"].shape)


def number(size: Any) -> int:
    """A size, with one for the number of samples."""
    if isinstance(size, fx.Node):
        size = size.meta["val"]
    if isinstance(size, int):
        return size
    expression = size.node.expr
    return int(expression.subs(dict.fromkeys(expression.free_symbols, 1)))


def module_name(node: fx.Node, aliases: Mapping[str, str]) -> str:
    """Dotted name of the module that a node comes from, empty for the outermost one.

    Args:
        aliases: other names of some modules.
    """
    stack = list((node.meta.get("nn_module_stack") or {}).values())
    name = str(stack[-1][0]) if stack else ""
    return aliases.get(name, name)
