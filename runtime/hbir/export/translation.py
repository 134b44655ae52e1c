"""What is known of each value of a program while it becomes a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, fx
from torch.export import ExportedProgram

from runtime.errors import RunError
from runtime.hbir.export import program as reading
from runtime.hbir.export.builder import Builder
from runtime.hbir.graph import Attribute
from runtime.hbir.tensor_type import Constant, code_type


@dataclass(frozen=True)
class Codes:
    """A tensor of the graph."""

    name: str


@dataclass(frozen=True)
class Real:
    """An input of the network before it is codes."""

    name: str


@dataclass(frozen=True)
class Accumulator:
    """A convolution that is not rounded yet."""

    node: fx.Node


@dataclass(frozen=True)
class Result:
    """What leaves the network: real numbers in the program, codes in the graph."""

    name: str


Value = Codes | Real | Accumulator | Result | Tensor | list[Any]


class Translation:
    """A program, the graph that is made of it, and the values of the program by name.

    Args:
        program: see `graph_of_program`.
        prefix: see `graph_of_program`.
        aliases: see `graph_of_program`.
    """

    def __init__(self, program: ExportedProgram, prefix: str, aliases: Mapping[str, str]) -> None:
        self.program = program
        self.prefix = prefix
        self.aliases = aliases
        self.builder = Builder()
        self.values: dict[str, Value] = {name: Real(name) for name in reading.input_names(program)}
        self.values.update(reading.constants(program))

    def name(self, node: fx.Node) -> str:
        """Of the module that a node comes from, empty for the outermost one."""
        return f"{reading.module_name(node, self.aliases)}.".removeprefix(self.prefix).rstrip(".")

    def node_name(self, node: fx.Node) -> str:
        """The name for what an operator becomes: that of its module, or its own where it has none."""
        return self.name(node) or node.name

    def value(self, argument: Any) -> Any:
        """What an argument stands for."""
        return self.values.get(argument.name) if isinstance(argument, fx.Node) else argument

    def codes(self, user: fx.Node, argument: Any) -> str:
        """The tensor of the graph that an argument is.

        Raises:
            RunError: it is something else.
        """
        value = self.value(argument)
        if not isinstance(value, Codes):
            raise self.refuse(user, f"reads `{argument}`, which is no tensor of codes")
        return value.name

    def tensor(self, user: fx.Node, argument: Any) -> Tensor:
        """The constant that an argument is.

        Raises:
            RunError: it is something else.
        """
        value = self.value(argument)
        if not isinstance(value, Tensor):
            raise self.refuse(user, f"reads `{argument}`, which is not a constant")
        return value

    def refuse(self, node: fx.Node, why: str) -> RunError:
        """The error for what has no fixed-point form."""
        return RunError(
            f"`{node.target}` in `{self.name(node) or 'the model'}` {why}: the graph has no form for it",
            hint="use a module of runtime.models.blocks for it",
        )

    def rounded(
        self,
        op: str,
        node: fx.Node,
        inputs: Sequence[Any],
        formats: Sequence[Any],
        attributes: Mapping[str, Attribute],
        constants: Mapping[str, Constant] | None = None,
    ) -> Codes:
        """A node that makes codes.

        Args:
            formats: scale, bits and bounds of the codes.
        """
        scale, bits, lo, hi = formats
        made = self.builder.add(
            op,
            self.node_name(node),
            [self.codes(node, x) for x in inputs],
            {**attributes, "lo": lo, "hi": hi},
            constants,
            dtype=code_type(bits),
            scale=(scale,),
        )
        return Codes(made)
