"""From spec to experiment: what is filled in and locked, and that nothing but the spec matters."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
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


def test_the_graph_of_the_readme(compile_spec: Compile) -> None:
    text = generated(compile_spec("specs/bev_ipm.yaml")).files["README.md"]
    for line in ('n1 -->|"16@2, 24@4, 40@8, 112@16, 320@32"| n2', 'n2["neck<br/>FastSCNNNeck"]'):
        assert line in text


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
