"""The stages of a spec are files of the experiment, and the README names them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from generated_calls import keywords

from specgen.pipeline import CompiledSpec, generated

ROOT = Path(__file__).resolve().parents[3]
Compile = Callable[..., CompiledSpec]


def test_the_stages_of_a_spec_are_its_files(compile_spec: Compile) -> None:
    files = generated(compile_spec("specs/bev_ipm.yaml")).files
    stages = ["align_bpu", "calibration", "check", "compile", "export", "float", "int_infer", "qat"]
    assert [name for name in files if name.startswith("stages/")] == [f"stages/{name}.py" for name in stages]
    for name in stages:
        assert f"`python experiments/bev_ipm/stages/{name}.py`" in files["README.md"]


def test_stages_without_class_are_named_in_the_readme_only(compile_spec: Compile) -> None:
    spec = compile_spec("specs/bev_ipm.yaml")
    documents = dict(spec.schemas.documents)
    for name in ("trainer/Calibrator", "predictor/HbirPredictor", "predictor/BpuPredictor"):
        component = f"{name}.schema.json"
        documents[component] = {key: value for key, value in documents[component].items() if key != "x-class"}
    files = generated(replace(spec, schemas=replace(spec.schemas, documents=documents))).files
    stages = [name for name in files if name.startswith("stages/")]
    assert stages == [f"stages/{name}.py" for name in ("check", "compile", "export", "float", "qat")]
    for stage in ("calibration", "int_infer", "align_bpu"):
        (row,) = [line for line in files["README.md"].splitlines() if line.startswith(f"| {stage} |")]
        assert "not in this version" in row
    assert "--stage compile   # one stage" in files["README.md"]
    assert "specgen predict experiments/bev_ipm --stage qat\n" in files["README.md"]


def test_a_spec_without_qat_has_no_such_stage(compile_spec: Compile, tmp_path: Path) -> None:
    text = (ROOT / "specs/bev_ipm.yaml").read_text(encoding="utf-8")
    without = text[: text.index("  qat:\n")] + text[text.index("  export:\n") :]
    (tmp_path / "spec.yaml").write_text(without, encoding="utf-8")
    files = generated(compile_spec(str(tmp_path / "spec.yaml"))).files
    assert [name for name in files if name.startswith("stages/")] == [
        "stages/align_bpu.py",
        "stages/calibration.py",
        "stages/check.py",
        "stages/compile.py",
        "stages/export.py",
        "stages/float.py",
        "stages/int_infer.py",
    ]
    assert "--stage align_bpu" in files["README.md"] and "qat" not in files["README.md"]


def test_the_stages_of_the_chip_know_it(compile_spec: Compile) -> None:
    files = generated(compile_spec("specs/bev_ipm.yaml", "stages.compile.optimization_level=1")).files
    assert keywords(files["stages/check.py"], "ModelChecker") | {"model_convert_pipeline": ""} == {
        "model": "build_model",
        "march": "target.MARCH",
        "model_convert_pipeline": "",
        "strict": "False",
        "seed": "0",
    }
    assert keywords(files["stages/compile.py"], "HbmCompiler") == {
        "march": "target.MARCH",
        "optimization_level": "1",
        "objective": "'latency'",
    }
    aligns = keywords(files["stages/align_bpu.py"], "BpuPredictor")
    assert {key: aligns[key] for key in ("model", "march", "input_source", "simulated_samples")} == {
        "model": "build_model",
        "march": "target.MARCH",
        "input_source": "'nv12'",
        "simulated_samples": "1",
    }
    for stage, entry in (("check", "run_tool"), ("compile", "run_tool"), ("align_bpu", "run_predictor")):
        assert f"    {entry}(stage={stage!r}".replace("'", '"') in files[f"stages/{stage}.py"]
