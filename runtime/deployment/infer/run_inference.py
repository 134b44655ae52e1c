"""From a command line to files: finds the inputs and the model, runs it, writes what it found."""

from __future__ import annotations

import json
from pathlib import Path

from runtime.deployment.infer.arguments import InferArguments
from runtime.deployment.infer.experiment_code import import_experiment
from runtime.deployment.infer.model_inputs import find_packed, read_inputs
from runtime.deployment.infer.output_files import write_outputs
from runtime.deployment.infer.packed_sample import export_sample
from runtime.deployment.infer.prediction import predict_frame
from runtime.deployment.infer.result_file import result_document
from runtime.deployment.infer.summary import summary_text
from runtime.deployment.made_files import EXPORT, HBIR_FILE, find_made
from runtime.errors import RunError
from runtime.hbir.executor import TorchExecutor
from runtime.hbir.onnx_encode import content_digest, to_onnx
from runtime.hbir.onnx_file import read_graph
from runtime.training.device import resolve_device
from runtime.training.report import say, show, start_reporting
from runtime.training.run_directory import RunDirectory, file_digest, told_of_lock
from runtime.training.versions import installed_versions


def run_inference(arguments: InferArguments) -> None:
    """Do what the command line asks; the result goes to stdout, everything else to stderr.

    Raises:
        RunError: what a person can mend: inputs, model, experiment, folder.
    """
    start_reporting(None)
    if not 0 <= arguments.score <= 1:
        raise RunError(f"`--score` is {arguments.score:g}, expected a number from 0 to 1")
    code = import_experiment(arguments.experiment, arguments.loader)
    if arguments.export:
        reader, index = find_packed(arguments.model_inputs, code.reader)
        for path in export_sample(reader, index, arguments.save_path):
            show(str(path))
        return
    frame = read_inputs(arguments.model_inputs, code.reader)
    path = arguments.model or find_made(arguments.experiment, EXPORT, HBIR_FILE)
    graph = read_graph(path)
    executor = TorchExecutor(graph, device=resolve_device(arguments.device))
    say(f"sample {frame.name}, model {path} on {executor.device}")
    _warn_of_another_lock(path, arguments.experiment)
    prediction = predict_frame(frame, code.transforms(), code.build_model(), executor, place=str(path))
    document = result_document(
        prediction,
        model={"file": _shown(path, arguments.experiment), "digest": content_digest(to_onnx(graph))},
        run={
            "experiment": arguments.experiment.name,
            "lock": file_digest(arguments.experiment / "experiment.lock"),
            **told_of_lock(),
            "device": str(executor.device),
            "versions": installed_versions(),
        },
    )
    for written in write_outputs(arguments.save_path, prediction, document, score=arguments.score):
        say(f"wrote {written}")
    show(json.dumps(document, indent=2) if arguments.json else summary_text(document, arguments.score))


def _warn_of_another_lock(path: Path, experiment: Path) -> None:
    """Say when the experiment was built anew since the model was exported."""
    if not path.resolve().is_relative_to(experiment.resolve() / "runs"):
        return
    lock = RunDirectory(path.parent).record.get("lock")
    if lock != file_digest(experiment / "experiment.lock"):
        say(f"warning: the experiment has changed since `{path.parent.name}` exported this model")


def _shown(path: Path, experiment: Path) -> str:
    """The model's file, from the experiment on if it is in there."""
    whole = path.resolve()
    folder = experiment.resolve()
    return str(whole.relative_to(folder)) if whole.is_relative_to(folder) else path.name
