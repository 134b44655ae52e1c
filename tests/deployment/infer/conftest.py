"""A packed sample as a folder, and a small untrained model in fixed point that takes it."""

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent))

from bev_parts import IMAGE, bev_model, to_calibration
from infer_parts import SAMPLE, Tiny

from runtime.data.dataset import NuscenesDataset
from runtime.data.pack_reader import PackReader
from runtime.data.transforms.bev_img_crop import BevImgCrop
from runtime.data.transforms.bev_img_resize import BevImgResize
from runtime.data.transforms.bev_img_transform_wrapper import BevImgTransformWrapper
from runtime.data.transforms.bgr_to_yuv444 import BgrToYuv444
from runtime.data.transforms.normalize import Normalize
from runtime.data.transforms.pil_to_tensor import PILToTensor
from runtime.deployment.exported_graph import exported_graph
from runtime.deployment.infer.packed_sample import export_sample
from runtime.quantization.calibration import finish_observing, start_observing
from runtime.training.convert import ModelConvertPipeline


@pytest.fixture(scope="session")
def reader(packed_world: Any) -> PackReader:
    return PackReader(data_path=packed_world.packs / "v1.0-trainval" / "val_lmdb")


@pytest.fixture(scope="session")
def exported_folder(reader: PackReader, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sample 2 of the validation pack as a folder; not to be changed."""
    folder = tmp_path_factory.mktemp("exported") / "shot"
    export_sample(reader, SAMPLE, folder)
    return folder


@pytest.fixture
def folder(exported_folder: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may damage."""
    shutil.copytree(exported_folder, tmp_path / "shot")
    return tmp_path / "shot"


@pytest.fixture(scope="session")
def tiny(packed_world: Any) -> Tiny:
    """Random weights, calibrated on the first sample of the training pack."""
    torch.manual_seed(5)
    sizes = {"bev_size": (8.0, 8.0, 1.0), "map_size": (4.0, 4.0, 0.5)}
    datasets = {
        split: NuscenesDataset(
            data_path=packed_world.packs / "v1.0-trainval" / f"{split}_lmdb",
            transforms=[
                BevImgResize(size=(36, 64)),
                BevImgCrop(size=IMAGE),
                BevImgTransformWrapper(
                    transforms=[PILToTensor(), BgrToYuv444(rgb_input=True), Normalize(mean=128.0, std=128.0)]
                ),
            ],
            line_width=0.75,
            **sizes,
        )
        for split in ("train", "val")
    }
    pipeline = ModelConvertPipeline(converters=[to_calibration()], qat_mode="fuse_bn")
    model = pipeline.structure(bev_model().eval())
    start_observing(model)
    with torch.no_grad():
        sample = datasets["train"][0]
        model.raw_outputs(*model.deployed_inputs({**sample, "ego2img": sample["ego2img"].unsqueeze(0)}))
    finish_observing(model)
    return Tiny(bev_model().eval(), exported_graph(model, pipeline), datasets["val"])
