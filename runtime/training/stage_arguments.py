"""The command line of a generated stage script."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

NEWEST = "newest"


@dataclass(frozen=True)
class StageArguments:
    """What the reader asked of a stage; None where nothing was said."""

    resume: str | None = None
    predict: bool = False
    checkpoint: Path | None = None
    untrained: bool = False
    pictures: int = 0
    num_samples: int | None = None
    json: bool = False
    device: str | None = None
    num_steps: int | None = None
    threads: int | None = None


def parse_stage_arguments(stage: str, argv: Sequence[str] | None) -> StageArguments:
    """Parse `argv`, by default the process's own; a usage error exits with 2, as argparse does."""
    parser = argparse.ArgumentParser(
        description=f"Train the `{stage}` stage of this experiment, or evaluate it."
    )
    train = parser.add_argument_group("training")
    train.add_argument(
        "--resume",
        nargs="?",
        const=NEWEST,
        metavar="RUN",
        help="go on with RUN, by default the newest unfinished run",
    )
    train.add_argument("--num-steps", type=_positive, metavar="N", help="train for N optimiser steps")
    predict = parser.add_argument_group("evaluation")
    predict.add_argument(
        "--predict", action="store_true", help="evaluate the latest finished run's best checkpoint"
    )
    predict.add_argument("--checkpoint", type=Path, metavar="FILE", help="evaluate these weights instead")
    predict.add_argument("--untrained", action="store_true", help="evaluate the initial weights instead")
    predict.add_argument("--pictures", type=int, default=0, metavar="N", help="draw N samples")
    predict.add_argument(
        "--num-samples", type=_positive, metavar="N", help="evaluate the first N samples only"
    )
    predict.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument(
        "--device", metavar="DEVICE", help="cpu, cuda, cuda:1; default: a GPU when there is one"
    )
    parser.add_argument("--threads", type=_positive, metavar="N", help="CPU threads of torch")
    values = parser.parse_args(argv)
    evaluates = [
        name
        for name in ("checkpoint", "untrained", "pictures", "num_samples", "json")
        if getattr(values, name)
    ]
    if evaluates and not values.predict:
        parser.error(f"--{evaluates[0].replace('_', '-')} needs --predict")
    if values.predict and (values.resume or values.num_steps):
        parser.error("--predict does not train: leave out --resume and --num-steps")
    if values.checkpoint and values.untrained:
        parser.error("--checkpoint and --untrained exclude each other")
    return StageArguments(**vars(values))


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"`{text}` is not at least 1")
    return number
