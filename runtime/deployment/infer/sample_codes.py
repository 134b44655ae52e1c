"""Integer codes of one sample, as the deployed network of an experiment reads them."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from runtime.deployment.infer.experiment_code import import_experiment
from runtime.deployment.infer.frame import batch_of
from runtime.deployment.infer.model_fit import check_fits
from runtime.deployment.infer.model_inputs import read_inputs
from runtime.hbir.codes import encode
from runtime.hbir.graph import Graph


def sample_codes(
    experiment: Path, loader: str, model_inputs: str, graph: Graph, *, place: str
) -> dict[str, Tensor]:
    """Codes of the graph's inputs by name.

    Args:
        experiment: the experiment directory; its code is imported by this process.
        loader: name of the validation loader.
        model_inputs: which sample, see `read_inputs`.
        graph: the exported network.
        place: its file, for messages.

    Raises:
        RunError: no such sample, a damaged one, or the file of another experiment.
    """
    code = import_experiment(experiment, loader)
    structure = code.build_model().eval()
    img, points = structure.deployed_inputs(
        batch_of(read_inputs(model_inputs, code.reader), code.transforms())
    )
    inputs = {"img": img, "points": points}
    check_fits(graph, structure, inputs, place)
    return encode(graph, inputs)
