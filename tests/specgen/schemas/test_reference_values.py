"""Every value of the reference configuration is in `specs/bev_ipm.yaml`, as written, default or derived.

`reference_config.json` holds the configuration of the reference document, in its order and with its names;
its variables are put in. Where it names a Python object, the name alone stands for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from specgen.document import Node, dotted
from specgen.locate import ready_specs
from specgen.pipeline import compiled
from specgen.sources import Sources

REFERENCE = json.loads((Path(__file__).parent / "reference_config.json").read_text(encoding="utf-8"))
DEVIATIONS = {
    # The weights are found by their stage, in the experiment's runs.
    "stages.calibration.model_convert_pipeline.converters.0.checkpoint_path": (
        "tmp_models/bev_ipm/float-checkpoint-best.pth.tar",
        None,
    ),
}


@pytest.fixture(scope="module")
def document() -> Node:
    return compiled(ready_specs()["bev_ipm"], Sources()).root


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every scalar with its path, and every empty map or list."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path, value


VALUES = dict((dotted(path), (path, value)) for path, value in leaves(REFERENCE))


def test_the_reference_is_all_there() -> None:
    assert len(VALUES) == 328
    assert sorted(REFERENCE) == ["data", "model", "stages"]


def test_every_value_is_in_the_spec(document: Node) -> None:
    wrong = {}
    for place, (path, value) in VALUES.items():
        node = document.get(*path)
        found = node.plain() if node is not None else "nothing"
        expected = DEVIATIONS[place][1] if place in DEVIATIONS else value
        if found != expected or isinstance(found, bool) != isinstance(expected, bool):
            wrong[place] = (value, found)
    assert not wrong


def test_deviations_are_of_the_reference() -> None:
    assert {place: VALUES[place][1] for place in DEVIATIONS} == {
        place: was for place, (was, _) in DEVIATIONS.items()
    }


def test_lists_are_not_longer_than_the_references(document: Node) -> None:
    # Callbacks and metrics are a choice of ours; the model, data and augmentation are not.
    for path, value in lists(REFERENCE):
        node = document.at(*path)
        if "callbacks" not in path:
            assert len(node.elements()) == len(value), dotted(path)


def lists(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], list[Any]]]:
    if isinstance(value, list):
        yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from lists(item, (*path, key))


@pytest.mark.parametrize("derived", ["model.neck.in_channels", "model.view_transformer.grid_quant_scale"])
def test_what_the_reference_writes_and_we_derive(document: Node, derived: str) -> None:
    node = document.at(*derived.split("."))
    assert node.origin.kind == "derived"


def test_further_variables_of_the_reference(document: Node) -> None:
    """Values that the document's text leaves to variables which its excerpts do not show."""
    calibration = document.at("data", "calibration")
    assert calibration.plain_at("batch_size") == 8
    assert calibration.plain_at("dataset", "data_path") == document.plain_at(
        "data", "train", "dataset", "data_path"
    )
    assert calibration.plain_at("dataset", "transforms") == document.plain_at(
        "data", "val", "dataset", "transforms"
    )
    assert (
        document.plain_at("stages", "calibration", "model_convert_pipeline", "converters", 0, "stage")
        == "float"
    )
    assert document.plain_at("quantization", "observer") == "mse"
    given = [
        {key: value for key, value in rule.items() if value not in (None, False)}
        for rule in document.plain_at("quantization", "rules")
    ]
    assert given == [
        {"match": "img", "bits": 8, "scale": 1 / 128},
        {"op": "points", "bits": 16},
        {"op": "output", "bits": 32},
    ]
    qat = document.at("stages", "qat")
    assert (qat.plain_at("optimizer", "lr"), qat.plain_at("num_epochs")) == (2e-5, 10)
    export = document.at("stages", "export", "model_convert_pipeline")
    assert export.plain_at("qat_mode") == "fuse_bn"
    quantises, loads = export.at("converters").elements()
    assert (quantises.type, quantises.plain_at("convert_mode")) == ("Float2Calibration", "eager")
    assert (loads.type, loads.plain_at("stage")) == ("LoadCheckpoint", "calibration")
    int_infer, calibrated = document.at("stages", "int_infer"), document.at("stages", "calibration")
    aligned = document.at("stages", "align_bpu")
    for key in ("val_data_loader", "val_metrics"):
        assert int_infer.plain_at(key) == aligned.plain_at(key) == calibrated.plain_at(key)
    assert (aligned.type, aligned.plain_at("input_source")) == ("BpuPredictor", "nv12")
    (only,) = document.at("stages", "check", "model_convert_pipeline", "converters").elements()
    assert (only.type, document.plain_at("stages", "check", "strict")) == ("Float2Calibration", False)
    compiler = document.at("stages", "compile")
    assert (compiler.plain_at("optimization_level"), compiler.plain_at("objective")) == (2, "latency")
    assert document.plain_at("stages", "float", "num_devices") == 4
    assert document.plain_at("march") == "bayes"
