"""A small model in fixed point and its validation samples."""

from dataclasses import dataclass
from typing import Any

from runtime.data.dataset import NuscenesDataset
from runtime.deployment.infer.frame import Frame
from runtime.deployment.infer.prediction import Prediction, predict_frame
from runtime.hbir.executor import TorchExecutor
from runtime.hbir.graph import Graph
from runtime.models.structure import BevStructure

SAMPLE = 2
"""The one that lies in a folder."""


@dataclass(frozen=True)
class Tiny:
    """A model and what evaluation feeds it with."""

    structure: BevStructure
    graph: Graph
    dataset: NuscenesDataset

    @property
    def transforms(self) -> Any:
        return self.dataset.transforms

    def predict(self, frame: Frame) -> Prediction:
        executor = TorchExecutor(self.graph)
        return predict_frame(frame, self.transforms, self.structure, executor, place="model.hbir.onnx")
