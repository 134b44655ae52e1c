"""Which part of a spec becomes which function, and components that nothing runs."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from specgen.emit.units import units_of, without_class
from specgen.pipeline import CompiledSpec
from specgen.schemas import read_schemas

ROOT = Path(__file__).resolve().parents[3]
Compile = Callable[..., CompiledSpec]


def test_functions_by_file(compile_spec: Compile) -> None:
    spec = compile_spec("specs/bev_ipm.yaml")
    functions: dict[str, list[str]] = {}
    for unit in units_of(spec.root, spec.schemas).values():
        functions.setdefault(unit.file, []).append(unit.function)
    assert functions == {
        "target.py": ["quantization"],
        "model.py": [
            "build_model",
            "build_backbone",
            "build_neck",
            "build_view_transformer",
            "build_bev_encoder",
        ],
        "augment.py": ["bev", "train", "val", "calibration"],
        "tasks.py": [
            "bev_seg",
            "bev_seg_head",
            "bev_seg_target",
            "bev_seg_loss",
            "bev_seg_decoder",
            "bev_det",
            "bev_det_head",
            "bev_det_target",
            "bev_det_loss_cls",
            "bev_det_loss_reg",
            "bev_det_decoder",
        ],
        "data.py": [
            "train_loader",
            "train_dataset",
            "val_loader",
            "val_dataset",
            "calibration_loader",
            "calibration_dataset",
        ],
        "stages/float.py": ["build_trainer"],
        "stages/calibration.py": ["build_trainer"],
        "stages/qat.py": ["build_trainer"],
        "stages/export.py": ["build_exporter"],
        "stages/int_infer.py": ["build_predictor"],
        "stages/check.py": ["build_checker"],
        "stages/compile.py": ["build_compiler"],
        "stages/align_bpu.py": ["build_predictor"],
    }


def test_a_model_without_bev_transforms_has_no_function_for_them(compile_spec: Compile) -> None:
    spec = compile_spec("specs/bev_ipm.yaml", "model.bev_transforms=[]")
    assert ("model", "bev_transforms") not in units_of(spec.root, spec.schemas)


def test_components_without_class_are_refused_where_they_would_be_written(compile_spec: Compile) -> None:
    spec = compile_spec("specs/bev_ipm.yaml")
    real = read_schemas(ROOT / "schemas")
    documents = dict(real.documents)
    lacking = (
        "transform/BevImgFlip",
        "trainer/Calibrator",
        "converter/Float2Calibration",
        "converter/Float2QAT",
    )
    for name in (f"{component}.schema.json" for component in lacking):
        documents[name] = {key: value for key, value in documents[name].items() if key != "x-class"}
    poorer = replace(real, documents=documents)
    assert without_class(spec.root, real, units_of(spec.root, real)) == []
    found = without_class(spec.root, poorer, units_of(spec.root, poorer))
    # In the transforms, `qat`, `export` and `check`; the calibration stage is not written and may name one.
    missing = sorted(d.message.split("`")[1] for d in found)
    assert missing == ["BevImgFlip", "Float2Calibration", "Float2Calibration", "Float2QAT"]
    assert all(d.span.file == "specs/bev_ipm.yaml" for d in found)
