"""The page of the commands, from what their functions say to typer."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import typer
from typer.models import ArgumentInfo, OptionInfo, ParamMeta
from typer.utils import get_params_from_function

from specgen.cli.commands import make_app
from specgen.reference.markdown import code, page, table

Command = Callable[..., Any]
_INTRODUCTION = """\
Results go to stdout, everything else to stderr. Exit status: 0 fine, 1 something was found or failed, 2 wrong
usage, 130 interrupted."""


def commands_page() -> str:
    """The text of `commands.md`."""
    parts = ["# Commands", _INTRODUCTION]
    for name, command in _commands(make_app(), "specgen"):
        parameters = list(get_params_from_function(command).values())
        parts += [f"## {name}", _help(command), _usage(name, parameters), _parameters(parameters)]
    return page(*parts)


def _commands(group: typer.Typer, name: str) -> Iterator[tuple[str, Command]]:
    """The commands with their full names, in the order of `--help`."""
    for info in group.registered_commands:
        assert info.callback is not None
        yield f"{name} {info.name or info.callback.__name__.replace('_', '-')}", info.callback
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        yield from _commands(inner.typer_instance, f"{name} {inner.name}")


def _help(command: Command) -> str:
    """Paragraphs of the docstring, each on one line."""
    return "\n\n".join(" ".join(part.split()) for part in inspect.getdoc(command).split("\n\n"))  # type: ignore[union-attr]


def _usage(name: str, parameters: list[ParamMeta]) -> str:
    words = [name]
    for item in parameters:
        if isinstance(item.default, ArgumentInfo):
            words.append(_argument(item) if item.default.default is ... else f"[{_argument(item)}]")
    return code(" ".join([*words, "[OPTIONS]"]))


def _parameters(parameters: list[ParamMeta]) -> str:
    rows = [
        (code(_name(item)), " ".join((item.default.help or "").split()), _choices(item), _default(item))
        for item in parameters
    ]
    return table(("argument", "meaning", "choices", "default"), rows) if rows else ""


def _argument(item: ParamMeta) -> str:
    return item.name.upper()


def _name(item: ParamMeta) -> str:
    if isinstance(item.default, ArgumentInfo):
        return _argument(item)
    assert isinstance(item.default, OptionInfo)
    names = item.default.param_decls or (f"--{item.name.replace('_', '-')}",)
    option = ", ".join(name for name in names if name.startswith("-"))
    if item.annotation is bool:
        return option
    return f"{option} {item.default.metavar or names[0].lstrip('-').replace('-', '_').upper()}"


def _choices(item: ParamMeta) -> str:
    kind = item.annotation
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return ", ".join(code(str(choice.value)) for choice in kind)
    return ""


def _default(item: ParamMeta) -> str:
    """Empty for flags, for what must be given, and for what is nothing when it is left out."""
    value = item.default.default
    if value is ... or value is None or isinstance(value, bool):
        return ""
    return code(str(getattr(value, "value", value)))
