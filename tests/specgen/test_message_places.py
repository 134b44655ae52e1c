"""Messages about values that are used far from where they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from specgen.diagnostic import Diagnostic, SpecError
from specgen.pipeline import compiled
from specgen.sources import Sources

ROOT = Path(__file__).resolve().parents[2]
BASE = ROOT / "specs" / "bev_ipm.yaml"
HEAD = "name: child\nextends: parent.yaml\n"


@pytest.fixture(autouse=True)
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("parent.yaml").write_bytes(BASE.read_bytes())


def found(text: str, *sets: str) -> list[Diagnostic]:
    Path("child.yaml").write_text(HEAD + text, encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        compiled(Path("child.yaml"), Sources(), sets)
    return list(caught.value.diagnostics)


def places(text: str, *sets: str) -> list[tuple[str, str]]:
    return [(item.code, item.span.place) for item in found(text, *sets)]


def test_a_wrong_variable_is_one_message_at_the_wrong_element() -> None:
    (item,) = found("vars:\n  bev_size: [51.2, 51.2, -0.8]\n")
    assert item.span.place == "child.yaml:4:26"
    ((use, text),) = item.related
    assert use.file == "parent.yaml" and text == "used here, and in 7 more places"


def test_variables_in_variables_lead_to_what_is_written() -> None:
    text = "vars:\n  std: 0\n  image_tensor:\n    type: BevImgTransformWrapper\n"
    text += "    transforms: [{type: PILToTensor}, {type: Normalize, std: '${std}'}]\n"
    assert places(text) == [("E106", "child.yaml:4:8")]


def test_a_wrong_use_of_a_right_variable_is_at_the_use() -> None:
    (item,) = found("model:\n  view_transformer: {num_views: '${bev_size}'}\n")
    assert item.span.place == "child.yaml:4:33"
    assert [(span.file, text) for span, text in item.related] == [("parent.yaml", "the variable's value")]


def test_two_mistakes_in_one_variable_are_two_messages() -> None:
    assert places("vars:\n  bev_size: [0, 51.2, -0.8]\n") == [
        ("E106", "child.yaml:4:14"),
        ("E106", "child.yaml:4:23"),
    ]


def test_the_value_that_overrides_is_the_mistake() -> None:
    (item,) = found("model:\n  neck: {indexes: [-4, -3, -1]}\n")
    assert (item.code, item.span.place) == ("E312", "child.yaml:4:19")
    assert [text for _, text in item.related] == ["contradicts it"]
    (item,) = found("", "model.neck.indexes=[-4, -3, -1]")
    assert (item.code, item.span.file) == ("E312", "--set")


def test_in_one_file_the_rule_says_where() -> None:
    (item,) = found("model:\n  neck: {feat_channels: [64], indexes: [-3, -1]}\n")
    assert (item.code, item.span.place) == ("E312", "child.yaml:4:25")


def test_what_follows_from_a_slip_is_left_out() -> None:
    assert places("vars:\n  val_transform:\n    - {type: BevImgCrop, size: [96, 256]}\n") == [
        ("E016", "child.yaml:4:3")
    ]
    Path("child.yaml").write_text("name: child\nextend: parent.yaml\nmodel: {bev_feat_index: 0}\n")
    with pytest.raises(SpecError) as caught:
        compiled(Path("child.yaml"), Sources())
    assert [(item.code, item.hint) for item in caught.value.diagnostics] == [
        ("E102", "did you mean `extends`?")
    ]


def test_an_unused_variable_does_not_hide_other_mistakes() -> None:
    assert places("model:\n  bev_decoders: []\n") == [("E107", "child.yaml:4:17")]
    assert [code for code, _ in places("vars:\n  unneeded: 1\nmarch: bayse\n")] == ["E016", "E371"]
