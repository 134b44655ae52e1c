"""`specgen data`: make a synthetic world, pack a nuScenes-format dataset, verify a pack, write a sample."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from specgen.cli.stage_process import run_module
from specgen.experiment import find_experiment

if TYPE_CHECKING:
    from runtime.data.pack_format import Manifest

data_app = typer.Typer(help="Synthetic worlds and packed datasets.", no_args_is_help=True)


class PackType(StrEnum):
    """Containers that a pack can have."""

    lmdb = "lmdb"


@data_app.command()
def synth(
    out: Annotated[Path, typer.Option("--out", help="folder to make; must be new or a synthetic world")],
    scenes: Annotated[int, typer.Option("--scenes", min=1, help="training scenes")] = 240,
    val_scenes: Annotated[int, typer.Option("--val-scenes", min=1, help="held-out scenes")] = 48,
    samples: Annotated[int, typer.Option("--samples", min=2, help="key frames a scene, at 2 Hz")] = 4,
    width: Annotated[
        int, typer.Option("--width", min=160, max=1600, help="image width in pixels, 16:9")
    ] = 480,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    version: Annotated[str, typer.Option("--version")] = "v1.0-trainval",
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="processes; all cores by default")
    ] = None,
) -> None:
    """Make a synthetic world in nuScenes format, from a seed."""
    from runtime.data.synthetic.generate import synthesize

    with _progress("synthesising", interrupted="nothing was written") as progress:
        folder = synthesize(
            out,
            version=version,
            num_train_scenes=scenes,
            num_val_scenes=val_scenes,
            samples_per_scene=samples,
            image_size=(width, width * 9 // 16),
            seed=seed,
            workers=workers,
            progress=progress,
        )
    typer.echo(f"{folder}: {scenes + val_scenes} scenes of {samples} key frames")


@data_app.command()
def pack(
    src_data_dir: Annotated[
        Path, typer.Option("--src-data-dir", help="nuScenes root: samples/, maps/, <version>/")
    ],
    target_data_dir: Annotated[
        Path, typer.Option("--target-data-dir", help="where <version>/ and metas/ go")
    ],
    split_name: Annotated[
        str, typer.Option("--split-name", help="`train`, `val` or a split of `splits.json`")
    ],
    version: Annotated[str, typer.Option("--version")] = "v1.0-trainval",
    pack_type: Annotated[PackType, typer.Option("--pack-type")] = PackType.lmdb,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="processes; all cores by default")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace a pack of other data")] = False,
) -> None:
    """Pack one split of a nuScenes-format dataset; goes on where an interrupted packing stopped."""
    from runtime.data.nuscenes.pack import pack as pack_split
    from runtime.data.pack_format import PackPlace

    again = "the same command goes on where it stopped"
    with _progress(f"packing {split_name}", interrupted=again) as progress:
        manifest = pack_split(
            src_data_dir,
            target_data_dir,
            version=version,
            split=split_name,
            workers=workers,
            progress=progress,
            overwrite=overwrite,
        )
    _print_pack(PackPlace.under(target_data_dir, version, split_name).lmdb, manifest)


@data_app.command()
def verify(
    data_path: Annotated[
        Path, typer.Argument(help="a packed split, such as tmp_data/nuscenes/v1.0-trainval/val_lmdb")
    ],
) -> None:
    """Check every sample of a pack against its manifest."""
    from runtime.data.nuscenes.verify import verify as verify_pack

    with _progress("verifying") as progress:
        manifest = verify_pack(data_path, progress=progress)
    _print_pack(data_path, manifest)


@data_app.command()
def export_sample(
    experiment: Annotated[
        str | None, typer.Argument(help="experiment directory, or its name under `experiments/`")
    ] = None,
    sample: Annotated[
        str,
        typer.Option(
            "--sample",
            metavar="SAMPLE",
            help="index from 0 or token in the validation pack; or `pack:PATH#INDEX`",
        ),
    ] = "0",
    *,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="folder for the seven files")],
) -> None:
    """Write a packed sample as a folder for `specgen infer`: six JPEGs, unchanged, and `calibration.json`."""
    from specgen.cli.infer import MODULE, absolute_inputs, validation_loader

    found = find_experiment(experiment)
    inputs = absolute_inputs(sample) if sample.startswith("pack:") else f"sample:{sample}"
    arguments = ["--export", "--experiment", str(found.folder), "--loader", validation_loader(found)]
    arguments += ["--model-inputs", inputs, "--save-path", str(out.absolute())]
    raise typer.Exit(run_module(found, MODULE, arguments))


def _print_pack(folder: Path, manifest: Manifest) -> None:
    """The line that a pack ends with, and its verification; the digest as results and `doctor` name it."""
    typer.echo(f"{folder}: {len(manifest.samples)} samples, {manifest.digest[:12]}")


@contextmanager
def _progress(title: str, *, interrupted: str | None = None) -> Iterator[Callable[[int, int, str], None]]:
    """A bar on a terminal, a plain line now and then elsewhere; always on stderr. `interrupted`: what Ctrl-C
    leaves behind."""
    try:
        with _shown(title) as report:
            yield report
    except KeyboardInterrupt:
        typer.echo("interrupted" + (f": {interrupted}" if interrupted else ""), err=True)
        raise


@contextmanager
def _shown(title: str) -> Iterator[Callable[[int, int, str], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _plain_lines(title)
        return
    columns = (
        TextColumn(title),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total, text: bar.update(task, completed=done, total=total, description=text)


def _plain_lines(title: str) -> Callable[[int, int, str], None]:
    last = -1

    def report(done: int, total: int, text: str) -> None:
        nonlocal last
        tenth = done * 10 // max(total, 1)
        if tenth != last:
            last = tenth
            count = f" {done}/{total}" if total else ""
            typer.echo(f"{title}:{count} {text}".rstrip(), err=True)

    return report
