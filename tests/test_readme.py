"""What the README shows is what the commands do."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from specgen.cli import app

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _shell_lines() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    return [line.partition("#")[0].strip() for block in blocks for line in block.splitlines() if line.strip()]


def _specgen_commands() -> list[str]:
    """Every `specgen` command of the README, and of the demo that it calls."""
    dry = subprocess.run(["make", "-n", "demo"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    lines = [*_shell_lines(), *(line.removeprefix(".venv/bin/") for line in dry.splitlines())]
    return [line for line in lines if line.startswith("specgen ")]


def test_there_are_commands() -> None:
    assert len(_specgen_commands()) >= 10


@pytest.mark.parametrize("line", _specgen_commands())
def test_command_is_one_that_the_program_takes(line: str) -> None:
    """Parsed by the real command line, without being run; wrong names and options exit with a usage error."""
    _, *arguments = shlex.split(line)
    command = typer.main.get_command(app)
    while (commands := getattr(command, "commands", None)) is not None:
        command = commands[arguments.pop(0)]
    command.make_context(command.name, arguments)


@pytest.mark.parametrize("target", ["demo", "test", "lint", "install"])
def test_make_target_exists(target: str) -> None:
    subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, check=True)


def test_links_lead_somewhere() -> None:
    targets = [target for target in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in target]
    assert targets
    missing = [target for target in targets if not (ROOT / target).exists()]
    assert not missing


def test_error_message_is_the_real_one(tmp_path: Path) -> None:
    """The README's mistake, made again: a ResNet in the reference spec, with the old channels written out."""
    (shown,) = re.findall(r"```\n(specs/my\.yaml:.*?)```", README, flags=re.DOTALL)
    spec = (ROOT / "specs" / "bev_ipm.yaml").read_text(encoding="utf-8")
    spec, replaced = re.subn(
        r"(?m)^  backbone:\n    type: efficientnet\n(?:    .*\n)+",
        "  backbone: {type: resnet, depth: 50}\n",
        spec,
    )
    assert replaced == 1
    spec = spec.replace("    indexes: [-3, -1]\n", "    in_channels: [40, 320]\n    indexes: [-3, -1]\n")
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "my.yaml").write_text(spec, encoding="utf-8")
    command = [sys.executable, "-m", "specgen", "validate", "specs/my.yaml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert (done.stdout + done.stderr).startswith(shown)


def test_diff_is_the_real_one(tmp_path: Path) -> None:
    (shown,) = re.findall(r"```diff\n(.*?)```", README, flags=re.DOTALL)
    specgen = [
        sys.executable,
        "-m",
        "specgen",
        "build",
        str(ROOT / "specs" / "bev_ipm.yaml"),
        "--out",
        "built",
    ]
    subprocess.run(specgen, cwd=tmp_path, capture_output=True, check=True)
    change = ["--check", "--set", "model.backbone={type: resnet, depth: 50}"]
    done = subprocess.run([*specgen, *change], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert all(line in done.stdout.splitlines() for line in shown.splitlines() if line != "...")
