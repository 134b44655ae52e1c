"""Finding the experiment that a command works on, and what belongs to it."""

from dataclasses import dataclass
from pathlib import Path

from specgen.did_you_mean import did_you_mean
from specgen.emit.lock import LOCK

EXPERIMENTS_FOLDER = "experiments"


class ExperimentNotFound(Exception):
    """No experiment, or more than one, fits what the user gave; the text says what to do."""


@dataclass(frozen=True)
class Experiment:
    """A generated experiment directory.

    Attributes:
        folder: the directory that holds `experiment.lock`, absolute.
    """

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def project_root(self) -> Path:
        """Where data paths start from: the folder above `experiments/`, else the current directory."""
        return self.folder.parent.parent if self.folder.parent.name == EXPERIMENTS_FOLDER else Path.cwd()

    def stage_script(self, stage: str) -> Path:
        return self.folder / "stages" / f"{stage}.py"

    @property
    def stages(self) -> list[str]:
        """Names of the stages that this experiment can run, sorted."""
        return sorted(path.stem for path in (self.folder / "stages").glob("*.py"))


def find_experiment(given: str | None) -> Experiment:
    """The experiment that is named; else the current directory; else the only one under `experiments/`.

    Args:
        given: a path, or the name of a folder under `experiments/`.

    Raises:
        ExperimentNotFound: when none or several fit.
    """
    known = sorted(path.parent for path in Path(EXPERIMENTS_FOLDER).glob(f"*/{LOCK}"))
    if given is not None:
        for candidate in (Path(given), Path(EXPERIMENTS_FOLDER) / given):
            if (candidate / LOCK).is_file():
                return Experiment(folder=candidate.resolve())
        raise ExperimentNotFound(_no_such(given, known))
    if Path(LOCK).is_file():
        return Experiment(folder=Path.cwd())
    if len(known) == 1:
        return Experiment(folder=known[0].resolve())
    if known:
        names = ", ".join(f"`{path}`" for path in known)
        raise ExperimentNotFound(
            f"error: several experiments are here: {names}\nhint: name one, as in `{known[0]}`"
        )
    raise ExperimentNotFound(
        f"error: no experiment here: neither `{LOCK}` nor `{EXPERIMENTS_FOLDER}/*/{LOCK}` exists\n"
        "hint: make one with `specgen build SPEC`"
    )


def _no_such(given: str, known: list[Path]) -> str:
    message = f"error: `{given}` is not an experiment: it has no `{LOCK}`"
    if given.endswith((".yaml", ".yml")):
        return f"{message}\nhint: build it first with `specgen build {given}`, then name the folder it prints"
    if hint := did_you_mean(Path(given).name, [path.name for path in known]):
        return f"{message}\nhint: {hint}"
    if known:
        return f"{message}\nhint: there are {', '.join(f'`{path}`' for path in known)}"
    return f"{message}\nhint: make one with `specgen build SPEC`"
