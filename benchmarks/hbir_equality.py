"""Whether fake quantisation, our executor and onnxruntime give the same integers on all validation samples.

    python benchmarks/hbir_equality.py [EXPERIMENT] [--num-samples N] [--threads N]

Of the newest run of stage `export`: the weights that it was made of, evaluated as calibration and QAT are,
and its `model.hbir.onnx` by torch and by stock onnxruntime. Prints the metrics of each, and the digest of all
raw outputs, which is equal only where every bit is (docs/deployment.md). Exit status 1 if they are not equal.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import sys
import warnings
from pathlib import Path

import torch

from runtime.deployment.hbir_model import Executor, HbirModel
from runtime.deployment.made_files import EXPORT, HBIR_FILE, find_made
from runtime.hbir.executor import TorchExecutor
from runtime.hbir.onnx_file import read_graph
from runtime.hbir.onnxruntime_executor import OnnxRuntimeExecutor
from runtime.training.batch_processor import BatchProcessor
from runtime.training.evaluate_model import evaluate_model
from runtime.training.evaluation import Evaluation, limit_samples
from runtime.training.output_digest import OutputDigest
from runtime.training.run_directory import RunDirectory

HEADLINES = {"bev_det": "NDS", "bev_seg": "mIoU"}


def main() -> None:
    """Evaluate three times and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("experiment", nargs="?", type=Path, default=Path("experiments/bev_ipm_tiny"))
    parser.add_argument("--num-samples", type=int)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    warnings.simplefilter("ignore")
    for library in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(library).setLevel(logging.ERROR)
    sys.path.insert(0, str(arguments.experiment.resolve()))
    file = find_made(arguments.experiment, EXPORT, HBIR_FILE)
    graph = read_graph(file)
    found = {"fake quantisation": by_weights(arguments.experiment, file, arguments.num_samples)}
    for name, executor in (
        ("torch executor", TorchExecutor(graph)),
        ("onnxruntime", OnnxRuntimeExecutor(graph, threads=arguments.threads)),
    ):
        found[name] = by_executor(executor, arguments.num_samples)
    samples = next(iter(found.values())).num_samples
    print(f"{file}\n{samples} samples{'':<8}{'NDS':>20} {'mIoU':>20}  outputs")
    for name, one in found.items():
        figures = " ".join(f"{one.metrics[task][key]!r:>20}" for task, key in HEADLINES.items())
        print(f"{name:<18}{figures}  {one.output_digest}")
    equal = len({(str(one.metrics), one.output_digest) for one in found.values()}) == 1
    print("equal to the last bit" if equal else "NOT EQUAL")
    sys.exit(0 if equal else 1)


def by_weights(experiment: Path, file: Path, num_samples: int | None) -> Evaluation:
    """The evaluation of the weights that the file was made of, by their own stage."""
    ((stage, source),) = RunDirectory(file.parent).record["inputs"].items()
    trainer = importlib.import_module(f"stages.{stage}").build_trainer()
    trainer.device = "cpu"
    result: Evaluation = trainer.evaluate(experiment / source["checkpoint"], num_samples=num_samples)
    return result


def by_executor(executor: Executor, num_samples: int | None) -> Evaluation:
    """The evaluation of the exported file, as the stage `int_infer` does it."""
    predictor = importlib.import_module("stages.int_infer").build_predictor()
    return evaluate_model(
        HbirModel(predictor.model(), executor),
        limit_samples(predictor.val_data_loader(), num_samples),
        predictor.val_metrics,
        device="cpu",
        batch_processor=BatchProcessor(),
        output_digest=OutputDigest(),
    )


if __name__ == "__main__":
    main()
