"""The commands by name. A command line that names one imports that one alone: all of them take their time."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated

import typer

from specgen import __version__

COMMANDS = {
    "build": "specgen.cli.build:build",
    "validate": "specgen.cli.validate:validate",
    "list": "specgen.cli.list:list_components",
    "explain": "specgen.cli.explain:explain",
    "diff": "specgen.cli.diff:diff",
    "graph": "specgen.cli.graph:graph",
    "new": "specgen.cli.new:new",
    "doctor": "specgen.cli.doctor:doctor",
    "run": "specgen.cli.run:run",
    "predict": "specgen.cli.predict:predict",
    "infer": "specgen.cli.infer:infer",
    "ladder": "specgen.cli.ladder:ladder",
    "debug": "specgen.cli.debug:debug",
    "export": "specgen.cli.export:export",
    "inspect": "specgen.cli.inspect:inspect",
    "calops": "specgen.cli.calops:calops",
    "estimate": "specgen.cli.estimate:estimate",
    "data": "specgen.cli.data:data_app",
}
"""Where each command's function is, in the order of `specgen --help`; typer shows groups of commands last."""


def make_app(arguments: list[str] | None = None) -> typer.Typer:
    """The command line interface; with the `arguments` of a call, only the command that they name."""
    app = typer.Typer(
        name="specgen",
        help="From a YAML spec to a readable experiment, and its stages: training, evaluation, pictures.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"max_content_width": 110},
        rich_markup_mode=None,  # plain help takes half the time, and reads well everywhere
    )
    app.callback()(_specgen)
    named = arguments[0] if arguments and arguments[0] in COMMANDS else None
    for name in COMMANDS if named is None else [named]:
        module, _, attribute = COMMANDS[name].partition(":")
        command = getattr(import_module(module), attribute)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"specgen {__version__}")
        raise typer.Exit


# Also keeps `specgen build` a command of a group when it is the only one that is registered.
def _specgen(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="print the version and stop"),
    ] = False,
) -> None:
    return
