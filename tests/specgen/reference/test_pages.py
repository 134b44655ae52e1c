"""`docs/reference/` is what the generator writes today, and its pages are sound."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer.main

from specgen.cli.commands import COMMANDS, make_app
from specgen.codes import entries
from specgen.locate import schemas_folder
from specgen.reference import pages
from specgen.reference.__main__ import FOLDER, main, outdated
from specgen.reference.markdown import HEADER, block, table
from specgen.schemas import read_schemas

PAGES = pages()
SCHEMAS = read_schemas(schemas_folder())


def test_the_committed_pages_are_current() -> None:
    stale = [path.name for path in outdated(FOLDER)]
    assert stale == [], "write them with `make docs`"


def test_a_page_for_each_kind() -> None:
    assert set(PAGES) == {"README.md", "spec.md", "errors.md", "commands.md"} | {
        f"{kind}.md" for kind in SCHEMAS.kinds()
    }
    assert len(PAGES) > 20


@pytest.mark.parametrize("kind", SCHEMAS.kinds())
def test_every_component_and_key_is_there(kind: str) -> None:
    text = PAGES[f"{kind}.md"]
    assert re.findall(r"(?m)^## (.*)$", text) == SCHEMAS.types(kind)
    for name in SCHEMAS.types(kind):
        component = SCHEMAS.component(kind, name) or {}
        section = text.partition(f"## {name}\n")[2].partition("\n## ")[0]
        assert component["description"] in section
        for key in set(component["properties"]) - {"type"}:
            assert f"| `{key}` |" in section


def test_an_example_says_where_it_is_shortened() -> None:
    words = "components inside it shortened to their `type`:\n\n```yaml\ntype: "
    assert (
        f"of [specs/bev_ipm.yaml](../../specs/bev_ipm.yaml), {words}BevEncoder\n" in PAGES["bev_encoder.md"]
    )
    assert "shortened" not in PAGES["backbone.md"]


def test_the_backbone_of_the_tutorial_has_an_example() -> None:
    section = PAGES["backbone.md"].partition("## resnet\n")[2]
    assert "(../../docs/tutorials/change_the_backbone.md)" in section
    assert section.rstrip().endswith("```yaml\ntype: resnet\ndepth: 50\n```")


def test_every_code_is_there_with_its_message() -> None:
    text = PAGES["errors.md"]
    assert re.findall(r"(?m)^### (E\d{3})$", text) == list(entries())
    with_example = [code for code, entry in entries().items() if entry.example is not None]
    assert len(with_example) > 70
    assert all(f"error[{code}]: " in text for code in with_example)


def test_every_command_and_option_is_there() -> None:
    text = PAGES["commands.md"]
    command = typer.main.get_command(make_app())
    assert list(command.commands) == list(COMMANDS)
    names = []
    for name, child in command.commands.items():
        for inner in getattr(child, "commands", {"": child}):
            names.append(f"specgen {name} {inner}".strip())
    assert re.findall(r"(?m)^## (.*)$", text) == names
    assert "| `--check` | write nothing; print what would change and exit 1 if anything would |" in text
    assert "| `--format FORMAT` | how mistakes are printed | `text`, `json`, `github` | `text` |" in text
    assert "`specgen build SPEC [OPTIONS]`" in text and "`specgen list [KIND] [OPTIONS]`" in text


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_is_sound(name: str) -> None:
    text = PAGES[name]
    assert text.startswith(HEADER) and text.endswith("\n") and not text.endswith("\n\n")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert target in PAGES or (FOLDER / target).is_file(), target
    prose = re.sub(r"(?ms)^(`{3,}).*?^\1$", "", text)
    for rows in re.findall(r"(?m)(?:^\|.*\|\n)+", prose + "\n"):
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows.splitlines()}) == 1
    assert "None" not in prose.replace("`None`", "")


def test_writing_checking_and_removing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "reference"
    assert main(["--check"], folder) == 1 and not folder.exists()
    assert main([], folder) == 0
    assert {path.name for path in folder.iterdir()} == set(PAGES)
    capsys.readouterr()
    (folder / "neck.md").write_text("old")
    (folder / "gone.md").write_text(HEADER + "a kind that there was")
    (folder / "mine.md").write_text("written by hand")
    assert main(["--check"], folder) == 1
    assert capsys.readouterr().out == f"{folder / 'neck.md'}\n{folder / 'gone.md'}\n"
    assert main([], folder) == 0
    assert {path.name for path in folder.iterdir()} == {*PAGES, "mine.md"}
    assert main(["--check"], folder) == 0


def test_a_table_leaves_out_empty_columns() -> None:
    assert table(("a", "b", "c"), [("1", "", "x|y"), ("2", "", "z")]) == (
        "| a | c |\n|---|---|\n| 1 | x\\|y |\n| 2 | z |"
    )


def test_a_block_survives_fences_inside() -> None:
    assert block("```\nx\n```\n", "text") == "````text\n```\nx\n```\n````"
