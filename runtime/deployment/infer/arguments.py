"""The command line of `python -m runtime.deployment.infer`, which `specgen infer` starts."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

DEFAULT_SCORE = 0.3


@dataclass(frozen=True)
class InferArguments:
    """What the reader asked for; None where nothing was said."""

    experiment: Path
    loader: str
    model_inputs: str
    save_path: Path
    export: bool = False
    model: Path | None = None
    score: float = DEFAULT_SCORE
    json: bool = False
    device: str | None = None
    threads: int | None = None


def parse_infer_arguments(argv: Sequence[str] | None) -> InferArguments:
    """Parse `argv`, by default the process's own; a usage error exits with 2, as argparse does."""
    parser = argparse.ArgumentParser(
        prog="python -m runtime.deployment.infer",
        description="Pictures and a result file from the fixed-point model; or a packed sample as a folder.",
    )
    parser.add_argument("--experiment", type=Path, required=True, metavar="DIR", help="experiment directory")
    parser.add_argument("--loader", default="val", metavar="NAME", help="validation loader of the experiment")
    parser.add_argument(
        "--model-inputs",
        required=True,
        metavar="INPUTS",
        help="img:DIR, sample:INDEX, sample:TOKEN or pack:PATH#INDEX",
    )
    parser.add_argument("--save-path", type=Path, required=True, metavar="DIR", help="folder for the files")
    parser.add_argument(
        "--export", action="store_true", help="write the packed sample as a folder that img:DIR reads"
    )
    parser.add_argument("--model", type=Path, metavar="FILE", help="this model.hbir.onnx")
    parser.add_argument("--score", type=float, default=DEFAULT_SCORE, metavar="X", help="of drawn boxes")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--device", metavar="DEVICE", help="cpu, cuda, cuda:1")
    parser.add_argument("--threads", type=int, metavar="N", help="CPU threads of torch")
    return InferArguments(**vars(parser.parse_args(argv)))
