"""The command line of a generated stage script."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NEWEST = "newest"
_FLAG: dict[str, Any] = {"action": "store_true"}


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
    strict: bool = False


def parse_stage_arguments(
    stage: str,
    argv: Sequence[str] | None,
    *,
    learns: bool = True,
    evaluates: bool = True,
    judges: bool = False,
) -> StageArguments:
    """Parse `argv`, by default the process's own; a usage error exits with 2, as argparse does.

    Args:
        stage: its name.
        argv: without the script's name.
        learns: whether the stage takes steps, which can be counted and gone on with.
        evaluates: whether it runs a model on samples, on a device, and can do so again for `--predict`.
        judges: whether it holds the network against the chip, and can be strict about it.
    """
    parser = argparse.ArgumentParser(description=_description(stage, learns, evaluates))
    train = parser.add_argument_group("training" if learns else None)
    train.add_argument(
        "--resume",
        nargs="?",
        const=NEWEST,
        metavar="RUN",
        help=_help(learns, "go on with RUN, by default the newest unfinished run"),
    )
    train.add_argument(
        "--num-steps", type=_positive, metavar="N", help=_help(learns, "train for N optimiser steps")
    )
    predict = parser.add_argument_group("evaluation" if evaluates else None)
    for option, settings, text in (
        ("--predict", _FLAG, "evaluate the latest finished run's best checkpoint"),
        ("--checkpoint", {"type": Path, "metavar": "FILE"}, "evaluate these weights instead"),
        ("--untrained", _FLAG, "evaluate the initial weights instead"),
        ("--pictures", {"type": int, "default": 0, "metavar": "N"}, "draw N samples"),
        ("--num-samples", {"type": _positive, "metavar": "N"}, "evaluate the first N samples only"),
        ("--json", _FLAG, "print the results as JSON"),
    ):
        wanted = evaluates and (learns or option != "--untrained")
        predict.add_argument(option, help=_help(wanted, text), **settings)
    parser.add_argument(
        "--device",
        metavar="DEVICE",
        help=_help(evaluates, "cpu, cuda, cuda:1; default: a GPU when there is one"),
    )
    parser.add_argument("--threads", type=_positive, metavar="N", help="CPU threads of torch")
    parser.add_argument(
        "--strict", action="store_true", help=_help(judges, "a node that falls to the CPU is an error")
    )
    values = parser.parse_args(argv)
    if not learns and (values.resume or values.num_steps):
        parser.error(f"the stage `{stage}` does not learn: leave out --resume and --num-steps")
    if not learns and values.untrained:
        parser.error(f"the stage `{stage}` judges a file, not initial weights: leave out --untrained")
    if not evaluates and (values.predict or values.device):
        parser.error(f"the stage `{stage}` evaluates nothing: leave out --predict and --device")
    if not judges and values.strict:
        parser.error(f"the stage `{stage}` has no verdict on the chip: leave out --strict")
    given = [
        name
        for name in ("checkpoint", "untrained", "pictures", "num_samples", "json")
        if getattr(values, name)
    ]
    if given and not values.predict:
        parser.error(f"--{given[0].replace('_', '-')} needs --predict")
    if values.predict and (values.resume or values.num_steps):
        parser.error("--predict does not train: leave out --resume and --num-steps")
    if values.checkpoint and values.untrained:
        parser.error("--checkpoint and --untrained exclude each other")
    return StageArguments(**vars(values))


def _help(fits: bool, text: str) -> str:
    """What does not fit a stage is not listed, and refused with a reason."""
    return text if fits else argparse.SUPPRESS


def _description(stage: str, learns: bool, evaluates: bool) -> str:
    if learns:
        return f"Train the `{stage}` stage of this experiment, or evaluate it."
    return f"Run the `{stage}` stage of this experiment" + (", or look at its results." if evaluates else ".")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"`{text}` is not at least 1")
    return number
