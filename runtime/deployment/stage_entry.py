"""What the generated scripts of the stages after training call: parse the command line, do the work in a run
directory, or evaluate once more."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from runtime.bpu.march import load_march
from runtime.bpu.march_digest import march_digest
from runtime.deployment.made_files import CHECK
from runtime.deployment.stage_tool import StageChecker, StageForChip, StagePredictor, StageTool
from runtime.training.device import describe_device, resolve_device
from runtime.training.predict_stage import predict_stage
from runtime.training.report import say, start_reporting
from runtime.training.run_directory import create_run, file_inputs
from runtime.training.stage_arguments import parse_stage_arguments
from runtime.training.stage_process import end_with


def run_tool(
    stage: str, experiment: str | Path, build: Callable[[], StageTool], argv: Sequence[str] | None = None
) -> NoReturn:
    """Run a stage that evaluates nothing as a script's last line; always ends with `SystemExit`.

    Args:
        stage: name of the stage, such as `export`.
        experiment: the experiment directory, where runs go.
        build: makes what does the work.
        argv: command line without the script's name; the process's own by default.
    """
    arguments = parse_stage_arguments(stage, argv, learns=False, evaluates=False, judges=stage == CHECK)

    def work() -> None:
        tool = build()
        options: dict[str, Any] = {}
        if isinstance(tool, StageChecker):
            tool.strict = arguments.strict or tool.strict
            options["strict"] = arguments.strict
        _work(stage, Path(experiment), tool, options=options, device="cpu")

    end_with(work, threads=arguments.threads)


def run_predictor(
    stage: str, experiment: str | Path, build: Callable[[], StagePredictor], argv: Sequence[str] | None = None
) -> NoReturn:
    """Run a stage that evaluates the file of an earlier one; arguments as in `run_tool`."""
    arguments = parse_stage_arguments(stage, argv, learns=False)
    folder = Path(experiment)

    def work() -> None:
        if arguments.predict:
            predict_stage(stage, folder, build, arguments, find=lambda: _only(build().sources(folder)))
            return
        predictor = build()
        predictor.device = arguments.device or predictor.device
        device = resolve_device(predictor.device)
        _work(stage, folder, predictor, options={"device": arguments.device}, device=device)

    end_with(work, threads=arguments.threads)


def _only(sources: dict[str, Path]) -> Path:
    (path,) = sources.values()
    return path


def _march_input(tool: StageTool) -> dict[str, dict[str, str]]:
    """What `run.json` says of the chip that a run is for."""
    if not isinstance(tool, StageForChip):
        return {}
    march = load_march(tool.march)
    return {"march": {"name": march.name, "digest": march_digest(march)}}


def _work(stage: str, experiment: Path, tool: StageTool, *, options: dict[str, Any], device: str) -> None:
    sources = tool.sources(experiment)
    # A file that cannot be read leaves no run behind.
    inputs = {**file_inputs(experiment, sources), **_march_input(tool)}
    run = create_run(experiment, stage)
    run.claim()
    run.start(options=options, device=describe_device(device), inputs=inputs)
    start_reporting(run.log_file)
    say(f"run {run.path}")
    with run.recording():
        entries = tool.work(run, sources)
    run.finish("finished", **entries)
