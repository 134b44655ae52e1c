"""`specgen list`: a line for each component, or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., Any]


def test_one_kind(run: Run) -> None:
    assert run("list", "backbone").out == (
        "backbone\n"
        "  efficientnet                         "
        "EfficientNet: inverted residual blocks, five feature maps of strides 2 to 32.\n"
        "  resnet                               "
        "ResNet: residual blocks, five feature maps of strides 2 to 32.\n"
    )


def test_as_json(run: Run) -> None:
    rows = json.loads(run("list", "--json").out)
    assert len(rows) > 40
    assert {"kind": "sampler", "type": "DistributedSampler"}.items() <= next(
        row for row in rows if row["kind"] == "sampler"
    ).items()
    assert all(row["description"].endswith(".") and isinstance(row["runs"], bool) for row in rows)
    assert [row["type"] for row in json.loads(run("list", "neck", "--json").out)] == ["BiFPN", "FastSCNNNeck"]


def test_long_descriptions_go_on_below_on_a_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from specgen.cli.list import _as_text
    from specgen.locate import schemas_folder
    from specgen.schemas import read_schemas

    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    lines = _as_text(["backbone"], read_schemas(schemas_folder())).splitlines()
    assert lines[1:3] == [
        "  efficientnet                         EfficientNet: inverted residual blocks,",
        "                                       five feature maps of strides 2 to 32.",
    ]


def test_on_a_narrow_terminal_descriptions_stand_below_the_name(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from specgen.cli.list import _as_text
    from specgen.locate import schemas_folder
    from specgen.schemas import read_schemas

    monkeypatch.setenv("COLUMNS", "50")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    schemas = read_schemas(schemas_folder())
    assert _as_text(["backbone"], schemas).splitlines() == [
        "backbone",
        "  efficientnet",
        "    EfficientNet: inverted residual blocks, five",
        "    feature maps of strides 2 to 32.",
        "  resnet",
        "    ResNet: residual blocks, five feature maps of",
        "    strides 2 to 32.",
    ]
    assert max(map(len, _as_text(schemas.kinds(), schemas).splitlines())) <= 50


def test_an_unknown_kind(run: Run) -> None:
    done = run("list", "bakbone", "--json")
    assert (done.status, done.out) == (1, "")
    assert done.err == "error: there is no kind of component `bakbone`\nhint: did you mean `backbone`?\n"
