"""Text of a spec in generated Python: it stays text, and names that cannot be functions are refused."""

import ast
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from specgen.emit.lock import LOCK
from specgen.pipeline import CompiledSpec, compiled, generated
from specgen.sources import Sources

ROOT = Path(__file__).resolve().parents[3]
Compile = Callable[..., CompiledSpec]
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
