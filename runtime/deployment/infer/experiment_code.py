"""The generated Python of an experiment, imported by the process that runs its model."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.data.dataset import ImageTransform, NuscenesDataset
from runtime.data.pack_reader import PackReader
from runtime.errors import RunError
from runtime.models.structure import BevStructure


@dataclass(frozen=True)
class ExperimentCode:
    """What inference needs of an experiment.

    Args:
        folder: the experiment directory.
        build_model: makes the float model; its points and decoders are used.
        transforms: makes the image transforms of the validation dataset.
        dataset: makes the validation dataset, for which its pack must be there.
    """

    folder: Path
    build_model: Callable[[], BevStructure]
    transforms: Callable[[], tuple[ImageTransform, ...]]
    dataset: Callable[[], Any]

    def reader(self) -> PackReader:
        """The pack of the validation dataset.

        Raises:
            RunError: it is missing or damaged, or the dataset has none.
        """
        dataset = self.dataset()
        if not isinstance(dataset, NuscenesDataset):
            raise RunError(
                f"the validation dataset is a `{type(dataset).__name__}`, which has no packed samples",
                place=str(self.folder),
                hint="give the images as `img:DIR`",
            )
        return dataset.reader


def import_experiment(folder: Path, loader: str) -> ExperimentCode:
    """The code of an experiment, whose folder goes in front of the import path of this process.

    Args:
        folder: the experiment directory.
        loader: name of the validation loader in the spec's section `data`.

    Raises:
        RunError: the experiment has no such loader.
    """
    sys.path.insert(0, str(folder))
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))  # for the modules that the spec names in `plugins`
    data, augment, model = (importlib.import_module(name) for name in ("data", "augment", "model"))
    if not hasattr(data, f"{loader}_dataset"):
        raise RunError(f"no dataset `{loader}`", place=str(folder / "data.py"))
    # A dataset without transforms has no function for them.
    transforms = getattr(augment, loader, tuple)
    return ExperimentCode(
        folder=folder,
        build_model=model.build_model,
        transforms=lambda: tuple(transforms()),
        dataset=getattr(data, f"{loader}_dataset"),
    )
