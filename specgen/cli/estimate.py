"""`specgen estimate`: the predicted time of a network on the chips."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from specgen.cli.experiment_model import build_model, input_of
from specgen.cli.experiment_spec import experiment_spec
from specgen.cli.hbir_argument import newest_export
from specgen.experiment import Experiment, find_experiment

if TYPE_CHECKING:
    from runtime.bpu.estimate.network import Network
    from runtime.bpu.estimate.subject import Subject


def estimate(
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE|EXPERIMENT",
            help="a float ONNX file, a `model.hbir.onnx`, or an experiment: its newest export, or its float "
            "model where it has none",
        ),
    ] = None,
    march: Annotated[
        list[str] | None,
        typer.Option("--march", help="chip, a name or a march file; may be repeated; an experiment has one"),
    ] = None,
    all_marches: Annotated[bool, typer.Option("--all-marches", help="every chip that is known")] = False,
    bits: Annotated[
        int | None,
        typer.Option("--bits", min=8, max=16, help="of the activations of a float network: 8 or 16"),
    ] = None,
    input_shape: Annotated[
        list[str] | None,
        typer.Option("--input-shape", metavar="NAME:SIZES", help="of an ONNX input, as `images:1,3,224,224`"),
    ] = None,
    use_float: Annotated[
        bool, typer.Option("--float", help="of an experiment the float model, exported or not")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="fail when something is left out of the estimate")
    ] = False,
    schedule: Annotated[
        bool,
        typer.Option("--schedule", help="compile the network, too, and tell the time of the program; 8 bits"),
    ] = False,
    top: Annotated[int, typer.Option("--top", min=0, help="slowest operations to list of each chip")] = 8,
    as_json: Annotated[bool, typer.Option("--json", help="print every operation as JSON")] = False,
) -> None:
    """Predict latency and throughput on a chip, and say how far such predictions are from measurements."""
    from runtime.bpu.estimate.document import estimates_document
    from runtime.bpu.estimate.estimate import estimate as estimated
    from runtime.bpu.estimate.text import estimates_text
    from runtime.bpu.march import load_march, march_names

    if bits not in (None, 8, 16):
        raise typer.BadParameter("8 or 16", param_hint="--bits")
    if schedule and bits == 16:
        raise typer.BadParameter("goes with 8 bits only", param_hint="--schedule")
    shapes = dict(_shape(text) for text in input_shape or [])
    experiment = None if source is not None and _is_file(source) else find_experiment(source)
    if schedule and experiment is not None:
        raise typer.BadParameter("of a file; an experiment has the stage `compile`", param_hint="--schedule")
    names = list(march_names()) if all_marches else (march or _march_of(experiment))
    chips = [load_march(name) for name in names]
    if experiment is None:
        from runtime.bpu.estimate.network_file import network_of_file

        subject, network = network_of_file(Path(str(source)), bits=bits, input_shapes=shapes)
    else:
        if shapes:
            raise typer.BadParameter("an experiment has its own shapes", param_hint="--input-shape")
        subject, network = _of_experiment(experiment, bits, use_float)
    schedules = None
    if schedule:
        from runtime.bpu.estimate.network_file import graph_of_file
        from runtime.bpu.estimate.schedule import schedules_of

        schedules = schedules_of(graph_of_file(Path(str(source)), input_shapes=shapes), chips)
    if strict:
        network.complete()
    found = [estimated(network.operations, chip) for chip in chips]
    if as_json:
        typer.echo(json.dumps(estimates_document(subject, network, found, schedules=schedules), indent=1))
    else:
        typer.echo(estimates_text(subject, network, found, top=top, schedules=schedules))
    if strict and any(one.refused for one in found):
        raise typer.Exit(1)


def _is_file(source: str) -> bool:
    return source.endswith(".onnx") or Path(source).is_file()


def _shape(text: str) -> tuple[str, tuple[int, ...]]:
    # Names of inputs may hold colons themselves.
    name, colon, sizes = text.rpartition(":")
    try:
        shape = tuple(int(size) for size in sizes.split(","))
    except ValueError:
        shape = ()
    if not colon or not name or not shape or min(shape) < 1:
        raise typer.BadParameter(f"`{text}` is not like `images:1,3,224,224`", param_hint="--input-shape")
    return name, shape


def _march_of(experiment: Experiment | None) -> list[str]:
    if experiment is None:
        raise typer.BadParameter("which chip? or `--all-marches`", param_hint="--march")
    return [str(experiment_spec(experiment).plain_at("march"))]


def _of_experiment(experiment: Experiment, bits: int | None, use_float: bool) -> tuple[Subject, Network]:
    """The newest export, in the widths that calibration gave it; else the untrained float model."""
    from dataclasses import replace

    exported = None if use_float or bits is not None else newest_export(experiment)
    size, num_views = input_of(experiment)
    if exported is not None:
        from runtime.bpu.estimate.network_file import network_of_hbir

        subject, network = network_of_hbir(exported)
        origin = f"the newest export, {exported.parent.name}: {subject.origin}"
    else:
        from runtime.bpu.estimate.estimate import with_bits
        from runtime.bpu.estimate.subject import Subject
        from runtime.bpu.estimate.torch_reading.program import network_of_program
        from runtime.deployment.float_program import float_program

        program = float_program(
            build_model(experiment), image_size=(size.height, size.width), num_views=num_views
        )
        network = network_of_program(program)
        network = replace(network, operations=tuple(with_bits(network.operations, bits or 8)))
        origin = f"the float model, untrained, as if every activation had {bits or 8} bits and weights 8"
        subject = Subject(experiment.name, origin, network.run)
    run = f"one surround frame, that is {num_views} camera images: {network.run}"
    return replace(
        subject, name=experiment.name, origin=origin, run=run, per_second="surround frames/s"
    ), network
