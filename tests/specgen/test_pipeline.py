"""From spec to experiment: what is filled in, how much one change changes, and that nothing else matters."""

import ast
import difflib
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from specgen.document import Node
from specgen.emit.lock import LOCK, digest
from specgen.emit.spec_yaml import spec_yaml
from specgen.pipeline import CompiledSpec, compiled, generated
from specgen.sources import Sources

ROOT = Path(__file__).resolve().parents[2]
SPECS = ["specs/bev_ipm.yaml", "specs/bev_ipm_tiny.yaml"]
Compile = Callable[..., CompiledSpec]


def as_if_written(spec: CompiledSpec) -> Mapping[str, str]:
    """Files without the command line in their headers, as if what `--set` changes stood in the spec."""
    return generated(replace(spec, loaded=replace(spec.loaded, sets=()))).files


def changed_lines(before: str, after: str) -> int:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return sum(line.startswith("+") and not line.startswith("+++") for line in lines)


@pytest.mark.parametrize("spec", SPECS)
def test_generated_python_is_formatted_and_clean(compile_spec: Compile, tmp_path: Path, spec: str) -> None:
    files = generated(compile_spec(spec, "data.train.dataset.data_path=" + "long/" * 30)).files
    names = [name for name in files if name.endswith(".py")]
    assert len(names) == 13
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(files[name], encoding="utf-8")
    config = ["--config", str(ROOT / "pyproject.toml"), "--no-cache", "."]
    ruff = [sys.executable, "-m", "ruff"]
    for arguments in (["format", "--diff"], ["check", "--output-format", "concise"]):
        done = subprocess.run([*ruff, *arguments, *config], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("spec", SPECS)
def test_the_resolved_spec_builds_the_same(compile_spec: Compile, tmp_path: Path, spec: str) -> None:
    first = compile_spec(spec)
    path = tmp_path / "spec.yaml"
    path.write_text(generated(first).files["spec.yaml"], encoding="utf-8")
    again = compiled(path, Sources())
    assert again.root.plain() == first.root.plain()
    texts = [generated(found).files for found in (first, again)]
    for name in (name for name in texts[0] if name.endswith(".py")):
        # Comments say where a value is from, and in the resolved spec every value is written.
        trees = [ast.dump(ast.parse(files[name])) for files in texts]
        assert trees[0] == trees[1], name


def test_values_know_where_they_came_from(compile_spec: Compile) -> None:
    root = compile_spec("specs/bev_ipm.yaml").root

    def origin(*path: str | int) -> tuple[str, str]:
        found = root.at(*path).origin
        return found.kind, found.source

    assert origin("model", "neck", "in_channels") == ("derived", "model.backbone")
    assert origin("model", "neck", "feat_channels") == ("written", "")
    assert origin("model", "neck", "pool_bins") == ("default", "")
    text = spec_yaml(root)
    assert "    in_channels: [40, 320]  # from model.backbone\n" in text
    assert "    pool_bins: [1, 2, 4, 8]  # default\n" in text
    assert "    feat_channels: [64, 64]\n" in text


def test_another_backbone_needs_no_other_edit_and_changes_few_lines(compile_spec: Compile) -> None:
    before = generated(compile_spec("specs/bev_ipm.yaml")).files
    after = as_if_written(compile_spec("specs/bev_ipm.yaml", "model.backbone={type: resnet, depth: 50}"))
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"model.py", "README.md", "spec.yaml", LOCK}
    assert "in_channels=[512, 2048],  # from model.backbone" in after["model.py"]
    assert 5 < changed_lines(before["model.py"], after["model.py"]) < 15


@pytest.mark.parametrize(
    ("change", "file"),
    [
        ("model.bev_transforms.0.rot=[-0.5, 0.5]", "augment.py"),
        ("march=nash-e", "target.py"),
        ("quantization.observer=kl", "target.py"),
        ("quantization.rules.2.bits=16", "target.py"),
        ("stages.calibration.num_steps=51", "stages/calibration.py"),
        ("stages.qat.optimizer.lr=3e-5", "stages/qat.py"),
        ("stages.float.num_epochs=41", "stages/float.py"),
        ("model.bev_decoders.0.task_weight=3.0", "tasks.py"),
        ("data.val.batch_size=3", "data.py"),
    ],
)
def test_one_changed_value_is_one_changed_line(compile_spec: Compile, change: str, file: str) -> None:
    before = generated(compile_spec("specs/bev_ipm.yaml")).files
    after = as_if_written(compile_spec("specs/bev_ipm.yaml", change))
    python = {name for name in before if before[name] != after[name] and name.endswith(".py")}
    assert python == {file}
    assert changed_lines(before[file], after[file]) == 1


def test_the_lock_holds_digests_of_everything(compile_spec: Compile) -> None:
    files = generated(compile_spec("specs/bev_ipm_tiny.yaml", "stages.float.num_epochs=2")).files
    lock = tomllib.loads(files[LOCK])
    assert lock["files"] == {name: digest(text) for name, text in files.items() if name != LOCK}
    assert lock["set"] == ["stages.float.num_epochs=2"]
    assert lock["specs"] == {name: digest((ROOT / name).read_text(encoding="utf-8")) for name in SPECS}
    templates = {path.name for path in (ROOT / "templates").glob("*.j2")}
    assert set(lock["templates"]) == templates
    assert lock["schemas"]["model/BevStructure.schema.json"] == digest(
        (ROOT / "schemas/model/BevStructure.schema.json").read_text(encoding="utf-8")
    )
    assert {"quantization.schema.json", "values.schema.json"} <= set(lock["schemas"])
    assert "backbone/resnet.schema.json" not in lock["schemas"]


def test_nothing_of_the_machine_is_in_the_files(compile_spec: Compile) -> None:
    for name, text in generated(compile_spec(str(ROOT / "specs/bev_ipm.yaml"))).files.items():
        assert str(ROOT) not in text, name
        assert not re.search(r"20\d\d-\d\d", text), name


def test_builds_are_the_same_for_every_hash_seed_and_folder(tmp_path: Path) -> None:
    script = (
        "import json; from pathlib import Path; from specgen.pipeline import compiled, generated\n"
        "from specgen.sources import Sources\n"
        f"spec = compiled(Path({str(ROOT / 'specs/bev_ipm_tiny.yaml')!r}), Sources())\n"
        "print(json.dumps(dict(generated(spec).files)))"
    )
    results = []
    for seed, folder in (("0", ROOT), ("1", ROOT), ("4711", tmp_path)):
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        results.append(json.loads(done.stdout))
    assert results[0] == results[1] == results[2]
    assert list(results[0]) == list(results[1])


HOSTILE = '"); import os; os.system("touch pwned"); ("'


def test_hostile_text_stays_text(compile_spec: Compile) -> None:
    files = generated(compile_spec("specs/bev_ipm.yaml", f"data.train.dataset.data_path='{HOSTILE}'")).files
    strings = [n.value for n in ast.walk(ast.parse(files["data.py"])) if isinstance(n, ast.Constant)]
    assert HOSTILE in strings
    plain = ast.dump(ast.parse(generated(compile_spec("specs/bev_ipm.yaml")).files["data.py"]))
    path = "tmp_data/nuscenes/v1.0-trainval/train_lmdb"
    assert ast.dump(ast.parse(files["data.py"])) == plain.replace(repr(path), repr(HOSTILE), 1)


def test_a_hostile_file_name_stays_a_comment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = 'x\nimport os\n"""`.yaml'
    Path(name).write_text((ROOT / "specs/bev_ipm.yaml").read_text(encoding="utf-8"))
    for file, text in generated(compiled(Path(name), Sources())).files.items():
        if file.endswith(".py"):
            names = [a.name for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Import) for a in n.names]
            assert "os" not in names
    assert tomllib.loads(generated(compiled(Path(name), Sources())).files[LOCK])


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


def keywords(text: str, call: str) -> dict[str, str]:
    """The keyword arguments of the one call of `call` in a generated file, as source."""
    (found,) = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == call
    ]
    return {argument.arg or "**": ast.unparse(argument.value) for argument in found.keywords}


def test_quantisation_is_written_out_and_used_by_the_stages(compile_spec: Compile) -> None:
    files = generated(compile_spec("specs/bev_ipm.yaml")).files
    assert "def quantization() -> QuantizationConfig:" in files["target.py"]
    settings = keywords(files["target.py"], "QuantizationConfig")
    rules = [ast.literal_eval(rule) for rule in re.findall(r"match=(\S+?)[,)]", settings.pop("rules"))]
    assert rules == ["img", None, None]
    assert settings == {
        "observer": "'mse'",
        "weight_scale": "'mse'",
        "equalization": "True",
        "bias_correction": "True",
        "adaround": "None",
        "multiplier_bits": "15",
    }
    for stage, converter, loader in (
        ("calibration", "Float2Calibration", "val"),
        ("qat", "Float2QAT", "val"),
        ("export", "Float2Calibration", "train"),
        ("check", "Float2Calibration", "train"),
    ):
        text = files[f"stages/{stage}.py"]
        assert "import target  # noqa: E402\n" in text
        arguments = keywords(text, converter)
        assert arguments["quantization"] == "target.quantization()"
        assert (arguments["image_size"], arguments["num_views"]) == ("(512, 960)", "6")
        assert f"image_size=(512, 960),  # from data.{loader}\n" in text


def test_quantisation_that_nobody_wrote_has_its_defaults(compile_spec: Compile, tmp_path: Path) -> None:
    text = (ROOT / "specs/bev_ipm.yaml").read_text(encoding="utf-8")
    start, stop = text.index("quantization:\n"), text.index("model:\n")
    # Frames of a camera are codes of a fixed scale, which is a rule.
    text = text[:start] + text[stop : text.index("  align_bpu:\n")]
    (tmp_path / "spec.yaml").write_text(text, encoding="utf-8")
    files = generated(compile_spec(str(tmp_path / "spec.yaml"))).files
    assert keywords(files["target.py"], "QuantizationConfig") == {
        "observer": "'mse'",
        "weight_scale": "'mse'",
        "rules": "[]",
        "equalization": "False",
        "bias_correction": "False",
        "adaround": "None",
        "multiplier_bits": "15",
    }
    assert "quantization:  # default\n  observer: mse\n" in files["spec.yaml"]


def test_multipliers_have_the_bits_of_the_march(compile_spec: Compile) -> None:
    def line(*sets: str) -> str:
        text = generated(compile_spec("specs/bev_ipm.yaml", *sets)).files["target.py"]
        (found,) = re.findall(r"^ *(multiplier_bits=.*)$", text, re.MULTILINE)
        return found

    assert line() == "multiplier_bits=15,  # from march"
    assert line("march=bernoulli2") == "multiplier_bits=1,  # from march"
    assert line("march=bernoulli2", "quantization.multiplier_bits=4") == "multiplier_bits=4,"


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


def test_adaround_is_written_out_with_its_defaults(compile_spec: Compile) -> None:
    files = generated(compile_spec("specs/bev_ipm.yaml", "quantization.adaround={num_steps: 200}")).files
    assert keywords(files["target.py"], "AdaRound") == {"num_steps": "200", "lr": "0.01", "weight": "0.01"}


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


def test_the_graph_of_the_readme(compile_spec: Compile) -> None:
    text = generated(compile_spec("specs/bev_ipm.yaml")).files["README.md"]
    for line in ('n1 -->|"16@2, 24@4, 40@8, 112@16, 320@32"| n2', 'n2["neck<br/>FastSCNNNeck"]'):
        assert line in text


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        (
            ["model.bev_decoders.0.name=print"],
            "`print` cannot be the name of a Python function in `tasks.py`",
        ),
        (
            ["model.bev_decoders.0.name=class"],
            "`class` cannot be the name of a Python function in `tasks.py`",
        ),
        (
            ["model.bev_decoders.1.name=bev_seg_head"],
            "`model.bev_decoders.1` and `model.bev_decoders.0.head` would both be `bev_seg_head`",
        ),
    ],
)
def test_names_that_cannot_be_functions(report_of: Callable[..., str], sets: list[str], message: str) -> None:
    assert message in report_of("specs/bev_ipm.yaml", *sets)


def test_a_data_section_named_as_the_bev_augmentation(report_of: Callable[..., str], tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    text = (ROOT / "specs/bev_ipm.yaml").read_text(encoding="utf-8")
    path.write_text(
        text.replace("  val:\n    type: DataLoader", "  bev:\n    type: DataLoader").replace(
            "val_data_loader: val", "val_data_loader: bev"
        )
    )
    assert "would both be `bev` in `augment.py`" in report_of(str(path))


def test_steps_do_not_change_what_they_are_given(compile_spec: Compile) -> None:
    spec = compile_spec("specs/bev_ipm.yaml")

    def picture(node: Node) -> list[object]:
        return [(path, found.origin, found.span) for path, found in node.walk()]

    before = picture(spec.root)
    generated(spec)
    generated(spec)
    assert picture(spec.root) == before
    with pytest.raises(TypeError):
        spec.root.value["name"] = spec.root  # type: ignore[index]
