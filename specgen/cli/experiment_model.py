"""The model of an experiment and the size of its input, for commands that look at the network itself."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, Any

import typer

from specgen.cli.experiment_spec import experiment_spec
from specgen.experiment import Experiment

if TYPE_CHECKING:
    from specgen.inference.image_size import ImageSize


def input_of(experiment: Experiment) -> tuple[ImageSize, int]:
    """Image size and number of views, from the resolved spec that the experiment keeps.

    Raises:
        typer.Exit: no transform fixes the size; the message is printed.
    """
    from specgen.inference.image_size import image_size

    spec = experiment_spec(experiment)
    size = image_size(spec)
    if size is None:
        typer.echo(
            "error: no transform fixes the image size\nhint: end the geometric ones with a crop", err=True
        )
        raise typer.Exit(1)
    return size, int(spec.plain_at("model", "view_transformer", "num_views"))


def build_model(experiment: Experiment) -> Any:
    """What the experiment's `model.py` builds, untrained."""
    path = experiment.folder / "model.py"
    # Its siblings, and the plugins of the project, are importable as it expects.
    sys.path.insert(0, str(path.parent))
    sys.path.append(str(experiment.project_root))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.build_model()
