"""`specgen doctor`: is everything here as it should be?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from specgen.cli.columns import columns
from specgen.emit.lock import LOCK
from specgen.experiment import EXPERIMENTS_FOLDER, Experiment

if TYPE_CHECKING:
    from specgen.doctor.check import Check


def doctor(
    as_json_: Annotated[bool, typer.Option("--json", help="print every finding as JSON")] = False,
) -> None:
    """Check the environment, the experiments here, and their data; changes nothing.

    Exit status 1 when something has to be mended. A warning is something that may be meant so.
    """
    from specgen.doctor.text import as_json, as_text

    checks = list(_checks())
    print(as_json(checks) if as_json_ else as_text(checks, columns()), end="")
    if any(check.status == "error" for check in checks):
        raise typer.Exit(1)


def _checks() -> Iterator[Check]:
    from specgen.doctor.check import Check
    from specgen.doctor.locks import lock_checks
    from specgen.doctor.versions import SECTION, place_checks, version_checks, wanted

    yield from version_checks(wanted())
    yield from place_checks()
    yield _device(SECTION)
    experiments = _experiments()
    if not experiments:
        yield Check("experiments", "warning", "none here", "make one with `specgen build SPEC`")
    for shown, experiment in experiments:
        yield from lock_checks(experiment.folder, shown, experiment.project_root)
        yield from _data_checks(experiment, shown)


def _experiments() -> list[tuple[str, Experiment]]:
    """The experiments under `experiments/`, and the current folder if it is one; each with its shown path."""
    folders = [path.parent for path in sorted(Path(EXPERIMENTS_FOLDER).glob(f"*/{LOCK}"))]
    if Path(LOCK).is_file():
        folders.append(Path("."))
    return [(str(folder), Experiment(folder.resolve())) for folder in folders]


def _device(section: str) -> Check:
    """What torch can compute on."""
    from specgen.doctor.check import Check

    try:
        import torch
    except Exception as error:  # a broken installation fails in many ways, and each is the finding
        text = f"torch cannot be imported: {type(error).__name__}: {error}"
        return Check(section, "error", text, "install torch again, a build for this machine")
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
        return Check(section, "ok", f"torch {torch.__version__} with CUDA: {', '.join(names)}")
    threads = torch.get_num_threads()
    built = f", built for CUDA {torch.version.cuda}" if torch.version.cuda else ""
    return Check(
        section,
        "ok",
        f"torch {torch.__version__} without a GPU{built}: {threads} CPU thread{'' if threads == 1 else 's'}",
    )


def _data_checks(experiment: Experiment, shown: str) -> Iterator[Check]:
    """The packs that the experiment's loaders read, and whether they are those that the lock pins, if any."""
    from runtime.data.pack_format import PackPlace
    from runtime.data.pack_reader import read_manifest
    from runtime.errors import RunError
    from specgen.doctor.check import Check
    from specgen.lock_check import data_differences, locked_data

    today: dict[str, str] = {}
    for (data_path, map_path), loaders in _packs(experiment).items():
        folder = experiment.project_root / data_path
        place = PackPlace.of_lmdb(folder, experiment.project_root / map_path if map_path else None)
        hint = f"make it with `specgen data pack --split-name {place.split} --version {place.version} ...`"
        if not folder.is_dir():
            yield Check(shown, "warning", f"no pack at `{data_path}`", hint)
            continue
        try:
            manifest = read_manifest(place)
        except RunError as error:
            yield Check(shown, "error", f"the pack `{data_path}`: {error.message}", error.hint)
            continue
        today.update(dict.fromkeys(loaders, manifest.digest))
        yield Check(
            shown, "ok", f"pack `{data_path}`: {len(manifest.samples)} samples, {manifest.digest[:12]}"
        )
    for text in data_differences(locked_data(experiment.folder), today):
        yield Check(shown, "error", text, "`specgen build --lock-data` pins the packs that are there now")


def _packs(experiment: Experiment) -> dict[tuple[str, str | None], list[str]]:
    """(`data_path`, `map_path`) of the datasets in the resolved spec, with the loaders that read it."""
    from specgen.diagnostic import SpecError
    from specgen.load import load
    from specgen.sources import Sources

    try:
        spec = load(experiment.folder / "spec.yaml", "spec.yaml", Sources()).root
    except SpecError:
        return {}  # the lock tells of a file that is missing or edited
    found: dict[tuple[str, str | None], list[str]] = {}
    for name, loader in (spec.get("data") or spec).items():
        dataset: Any = loader.plain_at("dataset", default={})
        if isinstance(dataset, dict) and isinstance(dataset.get("data_path"), str):
            maps = dataset.get("map_path")
            key = (dataset["data_path"], maps if isinstance(maps, str) else None)
            found.setdefault(key, []).append(name)
    return found
