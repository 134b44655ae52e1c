"""Components of a user's modules: the worked example of the tutorial, and what is refused."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from generated_python import check_generated_python

from specgen.diagnostic import SpecError
from specgen.diff.report import report
from specgen.diff.side import spec_side
from specgen.emit.lock import LOCK
from specgen.lock_check import differences
from specgen.pipeline import compiled, generated
from specgen.sources import Sources
from specgen.write import written

ROOT = Path(__file__).resolve().parents[3]
TUTORIAL = ROOT / "docs" / "tutorials" / "write_a_plugin.md"
BLOCK = re.compile(r"^```[a-z]+ (\S+/\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STEP = re.compile(r"^```([a-z]+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SCHEMA = "parts/schemas/backbone/PlainBackbone.schema.json"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tutorial's project: the files of its page, and the specs that it extends."""
    files = dict(BLOCK.findall(TUTORIAL.read_text(encoding="utf-8")))
    assert sorted(files) == ["parts/plain_backbone.py", SCHEMA, "specs/with_plugin.yaml"]
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    for path in (ROOT / "specs").glob("*.yaml"):
        (tmp_path / "specs" / path.name).write_bytes(path.read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def build(*sets: str) -> dict[str, str]:
    return dict(generated(compiled(Path("specs/with_plugin.yaml"), Sources(), sets)).files)


def failures(*sets: str) -> list[tuple[str, str]]:
    with pytest.raises(SpecError) as caught:
        build(*sets)
    return [(item.code, item.message) for item in caught.value.diagnostics]


def test_a_plugin_is_used_like_a_built_in_component(project: Path) -> None:
    files = build()
    model = files["model.py"]
    assert "from parts.plain_backbone import PlainBackbone\n" in model
    assert (
        "    return PlainBackbone(\n        in_channels=3,  # from the images\n        width=24,\n    )\n"
        in model
    )
    assert "in_channels=[24, 24, 24],  # from model.backbone" in model
    assert "Gives 24@2, 24@4, 24@8, 24@16, 24@32 (channels@stride)." in model
    for name, text in files.items():
        if name.endswith(".py"):
            check_generated_python(text, plugins=["parts.plain_backbone"])
    lock = tomllib.loads(files[LOCK])
    assert sorted(lock["plugins"]) == ["parts/plain_backbone.py", SCHEMA]
    assert "backbone/PlainBackbone.schema.json" not in lock["schemas"]
    assert not [name for name in sys.modules if name.startswith("parts")]


def test_the_resolved_spec_builds_the_same(project: Path) -> None:
    files = build()
    Path("resolved.yaml").write_text(files["spec.yaml"], encoding="utf-8")
    again = generated(compiled(Path("resolved.yaml"), Sources())).files
    assert "from parts.plain_backbone import PlainBackbone" in again["model.py"]


def test_its_page_leads_there_from_an_empty_folder(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}

    def run(*command: str) -> str:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    commands = []
    for language, name, text in STEP.findall(TUTORIAL.read_text(encoding="utf-8")):
        if name:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
            continue
        assert language == "sh"
        for line in text.splitlines():
            command = shlex.split(line)
            assert command[0] == "specgen"
            run("-m", *command)
            commands.append(command[1])
    assert commands == ["new", "build", "calops"]
    counted = json.loads(run("-m", "specgen", "calops", "experiments/with_plugin", "--json"))
    modules = {row["name"]: row for row in counted["modules"]}
    assert modules["backbone"]["type"] == "PlainBackbone"
    assert modules["backbone.stages.4"]["output"][-3:] == [24, 3, 8]
    run("experiments/with_plugin/stages/float.py", "--help")


def test_its_values_are_checked(project: Path) -> None:
    assert failures("model.backbone.width=4") == [
        ("E106", "`model.backbone.width` is 4, expected at least 8")
    ]
    ((code, message),) = failures("model.backbone.widht=8")
    assert (code, message) == ("E102", "`model.backbone` (`PlainBackbone`) has no key `widht`")
    assert failures("model.neck.in_channels=[8, 8, 8]")[0][0] == "E201"
    ((code, message),) = failures("model.backbone.type=PlainBackbon")
    assert code == "E105" and "`PlainBackbone`" in message


def test_without_the_plugin_there_is_no_such_component(project: Path) -> None:
    assert failures("plugins=[]")[0][0] == "E105"


def test_a_component_that_does_not_say_what_it_gives(project: Path) -> None:
    edit(project, lambda schema: schema.pop("x-out-features"))
    found = failures()
    assert {code for code, _ in found} == {"E403"}
    assert "`model.neck.in_channels` is left out and cannot be derived" in [message for _, message in found]


def test_a_property_that_the_schema_lacks_is_not_derived(project: Path) -> None:
    edit(project, lambda schema: schema["properties"].pop("in_channels"))
    assert "PlainBackbone(\n        width=24,\n    )" in build()["model.py"]


def test_the_lock_holds_the_plugin(project: Path) -> None:
    folder = project / "experiments" / "with_plugin"
    written(folder, build())
    assert differences(folder, project) == []
    with (project / "parts" / "plain_backbone.py").open("a") as file:
        file.write("\n")
    assert differences(folder, project) == [
        "changed since it was built: `parts/plain_backbone.py`, of a plugin"
    ]


def edit(project: Path, change: Callable[[dict[str, Any]], object]) -> None:
    schema = json.loads((project / SCHEMA).read_text(encoding="utf-8"))
    change(schema)
    (project / SCHEMA).write_text(json.dumps(schema), encoding="utf-8")


BAD: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "class of another module": (
        lambda s: s.update({"x-class": "os.system"}),
        "`x-class` is `os.system`, which is not in `parts.plain_backbone`",
    ),
    "no class": (lambda s: s.pop("x-class"), "needs `x-class`, the dotted path of the class"),
    "class that is code": (
        lambda s: s.update({"x-class": "parts.plain_backbone.A(); x"}),
        "needs `x-class`, the dotted path of the class",
    ),
    "another name": (
        lambda s: s["properties"]["type"].update(const="Other"),
        'needs the property `type` with `"const": "PlainBackbone"`',
    ),
    "open": (lambda s: s.pop("additionalProperties"), 'needs `"additionalProperties": false`'),
    "no schema at all": (lambda s: s.update(type="objekt"), "is no JSON Schema: type: "),
    "unknown reference": (
        lambda s: s["properties"].update(x={"$ref": "../nothing.schema.json"}),
        "refers to `nothing.schema.json`, which is none of specgen's schemas",
    ),
    "reference elsewhere": (
        lambda s: s["properties"].update(x={"$ref": "https://example.org/x.json"}),
        "which is none of specgen's schemas",
    ),
    "channels of nothing": (
        lambda s: s["x-out-features"][0].update(channels="depth"),
        "`channels` in `x-out-features` is neither a number from 1 nor a property",
    ),
}


@pytest.mark.parametrize(("change", "message"), BAD.values(), ids=BAD.keys())
def test_a_schema_that_cannot_be_one(
    project: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    edit(project, change)
    ((code, text),) = failures()
    assert code == "E024" and text.startswith(f"`{SCHEMA}`: ") and message in text


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": ' * 5000, "x" * 2_000_000])
def test_a_file_that_is_no_schema(project: Path, text: str) -> None:
    (project / SCHEMA).write_text(text)
    assert [code for code, _ in failures()] == ["E024"]


def test_modules_and_names(project: Path) -> None:
    assert failures("plugins=[parts.other]")[0] == (
        "E021",
        "there is no module `parts.other` in this folder: neither `parts/other.py` nor "
        "`parts/other/__init__.py`",
    )
    (project / "empty.py").write_text("")
    assert failures("plugins=[empty]")[0] == ("E022", "the plugin `empty` has no schema")
    for bad in ("../parts", "parts/plain_backbone", "parts..x", "import os", ""):
        assert failures(f"plugins=['{bad}']")[0][0] == "E104"
    assert failures("plugins={a: 1}")[0][0] == "E101"
    (project / SCHEMA).rename((project / SCHEMA).with_name("resnet.schema.json"))
    text = (project / SCHEMA).with_name("resnet.schema.json").read_text()
    (project / SCHEMA).with_name("resnet.schema.json").write_text(text.replace('"PlainBackbone"', '"resnet"'))
    assert failures()[0] == (
        "E023",
        "`parts/schemas/backbone/resnet.schema.json`: there is a backbone `resnet` already",
    )


def test_nothing_of_a_plugin_runs_during_a_build(project: Path) -> None:
    source = project / "parts" / "plain_backbone.py"
    source.write_text(source.read_text() + "\nopen('ran', 'w')\n")
    (project / "parts" / "__init__.py").write_text("open('ran', 'w')\n")
    build()
    assert not (project / "ran").exists()


def test_a_part_that_cannot_be_counted_is_no_part_without_parameters(project: Path) -> None:
    def parameters(old: str, new: str) -> list[tuple[str, str | None, str | None]]:
        sides = (spec_side(Path(f"specs/{name}.yaml"), Sources(), (), name=name) for name in (old, new))
        return [(row.name, row.old, row.new) for row in report(*sides).parameters]

    (backbone, *others) = parameters("bev_ipm_tiny", "with_plugin")
    assert backbone[0] == "backbone" and str(backbone[1])[0].isdigit() and backbone[2] == "unknown"
    assert [name for name, _, _ in others] == ["neck"]
    assert parameters("with_plugin", "bev_ipm_tiny")[0] == ("backbone", "unknown", backbone[1])
    wide = Path("specs/with_plugin.yaml").read_text(encoding="utf-8").replace("width: 24", "width: 32")
    Path("specs/wide.yaml").write_text(wide, encoding="utf-8")
    assert [name for name, _, _ in parameters("with_plugin", "wide")] == ["neck"]
