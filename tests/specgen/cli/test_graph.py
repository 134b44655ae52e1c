"""`specgen graph`: as a table and as mermaid, of a spec and of an experiment."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., Any]


def test_as_a_table(run: Run) -> None:
    assert run("graph", "bev_ipm").out == (
        "part                  type                       channels@stride\n"
        "img                   images                     3@1\n"
        "backbone              efficientnet               16@2, 24@4, 40@8, 112@16, 320@32\n"
        "neck                  FastSCNNNeck               64@32, 64@8\n"
        "view_transformer      WrappingTransformer        64@1\n"
        "bev_encoder.backbone  efficientnet               16@2, 24@4, 40@8, 112@16, 320@32\n"
        "bev_encoder.neck      BiFPN                      48@2, 48@4, 48@8, 48@16, 48@32\n"
        "├─ bev_seg            DepthwiseSeparableFCNHead  4@2\n"
        "└─ bev_det            CenterPoint3dHead          70@2\n"
    )


def test_a_change_on_trial(run: Run) -> None:
    lines = run("graph", "bev_ipm", "--set", "model.backbone={type: resnet, depth: 18}").out.splitlines()
    assert lines[2].split() == ["backbone", "resnet", "64@2,", "64@4,", "128@8,", "256@16,", "512@32"]


def test_mermaid_is_that_of_the_readme(run: Run, specs: Path) -> None:
    run("build", "specs/bev_ipm_tiny.yaml")
    text = run("graph", "experiments/bev_ipm_tiny", "--format", "mermaid").out
    assert text.startswith("flowchart LR\n") and '-->|"3@1"|' in text
    assert f"```mermaid\n{text}```\n" in Path("experiments/bev_ipm_tiny/README.md").read_text(
        encoding="utf-8"
    )


def test_long_lists_of_maps_go_on_below_themselves(run: Run, monkeypatch: Any) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    lines = run("graph", "bev_ipm").out.splitlines()
    assert max(map(len, lines)) <= 70
    assert lines[3] == " " * 49 + "112@16, 320@32"


def test_what_does_not_compile_is_told(run: Run) -> None:
    done = run("graph", "bev_ipm", "--set", "model.neck.indexes=[-9]")
    assert (done.status, done.out) == (1, "")
    assert "error[E311]: `model.neck.indexes` is [-9]" in done.err and re.search(
        r"\n\d errors?\n\Z", done.err
    )
    assert run("graph", "nope").err.startswith("error: the spec `nope` does not exist\n")


def test_an_experiment_of_a_revision_that_does_not_compile(run: Run, specs: Path) -> None:
    run("build", "specs/bev_ipm_tiny.yaml")
    resolved = Path("experiments/bev_ipm_tiny/spec.yaml")
    resolved.write_text(resolved.read_text() + "nope: 1\n")
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "-q"], ["add", "experiments"], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", *who, *arguments], check=True, capture_output=True)
    assert run("graph", "HEAD:experiments/bev_ipm_tiny").err.endswith(
        "\n1 error\nhint: this file is generated: read it with the version of specgen that built it\n"
    )
    assert run("graph", "experiments/bev_ipm_tiny").err.endswith(
        "\n1 error\nhint: this file is generated: build the experiment again with `specgen build`\n"
    )
