"""Running the model on a frame: as evaluation does, and only the model that was made for it."""

import dataclasses
from pathlib import Path

import pytest
import torch
from infer_parts import SAMPLE, Tiny

from runtime.data.pack_reader import PackReader
from runtime.deployment.hbir_model import HbirModel
from runtime.deployment.infer.image_folder import read_folder
from runtime.deployment.infer.packed_sample import packed_frame
from runtime.deployment.infer.prediction import Detections, MapLabels, predict_frame
from runtime.errors import RunError
from runtime.hbir.executor import TorchExecutor
from runtime.hbir.onnxruntime_executor import OnnxRuntimeExecutor
from runtime.training.output_digest import OutputDigest
from runtime.training.report import start_reporting, stop_reporting


def test_a_folder_gives_what_evaluation_gives(tiny: Tiny, exported_folder: Path) -> None:
    found = tiny.predict(read_folder(exported_folder))
    sample = tiny.dataset[SAMPLE]
    batch = {"img": sample["img"], "ego2img": sample["ego2img"].unsqueeze(0)}
    model = HbirModel(tiny.structure, OnnxRuntimeExecutor(tiny.graph, threads=1))
    with torch.no_grad():
        raw = model.raw_outputs(*model.deployed_inputs(batch))
        evaluated = model.decode(raw)
    digest = OutputDigest()
    digest.update(raw)
    assert found.output_digest == digest.hexdigest()
    boxes, labels = found.results["bev_det"], found.results["bev_seg"]
    assert isinstance(boxes, Detections) and isinstance(labels, MapLabels)
    assert len(boxes.scores) > 0
    for key in ("boxes", "scores", "labels"):
        assert (getattr(boxes, key) == evaluated["bev_det"][0][key].numpy()).all()
    assert (labels.labels == evaluated["bev_seg"][0].numpy()).all()
    assert labels.size == (4.0, 4.0, 0.5) and found.network_size == (32, 64)


def test_a_folder_and_its_sample_differ_in_their_source_only(
    tiny: Tiny, exported_folder: Path, reader: PackReader
) -> None:
    folder, packed = tiny.predict(read_folder(exported_folder)), tiny.predict(packed_frame(reader, SAMPLE))
    assert folder.output_digest == packed.output_digest
    other = tiny.predict(packed_frame(reader, 0))
    assert other.output_digest != packed.output_digest


def test_a_model_of_another_experiment_is_refused(tiny: Tiny, exported_folder: Path) -> None:
    from bev_parts import models

    other = models().build_model(
        input_hw=(32, 64),
        bev_size=(8.0, 8.0, 1.0),
        task_size=(4.0, 4.0, 1.0),
        width=0.25,
        depth=0.3,
        indexes=(-4, -1),
        neck_channels=8,
        bev_channels=8,
        head_channels=8,
        stack=1,
    )
    changed = dataclasses.replace(tiny, structure=other)
    with pytest.raises(RunError) as raised:
        changed.predict(read_folder(exported_folder))
    assert str(raised.value) == (
        "model.hbir.onnx: error: the model gives 1 x 4 x 16 x 16 `bev_seg`, the experiment has 1 x 4 x 8 x 8"
        "\n"
        "hint: name a model that was exported from this experiment as it is now"
    )


def test_images_of_another_size_are_refused(tiny: Tiny, exported_folder: Path) -> None:
    frame = read_folder(exported_folder)
    executor = TorchExecutor(tiny.graph)
    with pytest.raises(
        RunError, match="the model reads 6 x 3 x 32 x 64 `img`, the experiment has 6 x 3 x 36 x 64"
    ):
        predict_frame(frame, tiny.transforms[:1], tiny.structure, executor, place="model.hbir.onnx")


def test_cameras_that_see_no_ground(
    tiny: Tiny, exported_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the direction of sight reversed, the ground around the car is behind a camera or above it."""
    frame = read_folder(exported_folder)
    reversed_ = frame.ego2img.copy()
    reversed_[:, :3] *= -1
    reversed_[:, 1] -= 10_000 * reversed_[:, 2]
    one = frame.ego2img.copy()
    one[1] = reversed_[1]
    start_reporting(None)
    try:
        tiny.predict(dataclasses.replace(frame, ego2img=one))
        assert "the ground is not seen by CAM_FRONT; check the poses" in capsys.readouterr().err
        tiny.predict(frame)
        assert capsys.readouterr().err == ""
    finally:
        stop_reporting()
    with pytest.raises(RunError, match="no camera sees the ground around the car"):
        tiny.predict(dataclasses.replace(frame, ego2img=reversed_))
