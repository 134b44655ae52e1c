"""March files: what ships is complete and backed; what is damaged or unknown is refused in words."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.bpu.march import MARCHES, load_march, march_names
from runtime.bpu.march_page import march_page
from runtime.bpu.operation import OPERATIONS, Operation
from runtime.bpu.operation_measures import MEASURES, broken_limits
from runtime.errors import RunError

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("bayes", "bayes-e", "bernoulli2", "nash-e", "nash-m", "nash-p")
# Keys whose numbers are what the fit says of itself.
_UNBACKED = {"accuracy"}


def test_names() -> None:
    assert march_names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_operation_has_a_rule(name: str) -> None:
    march = load_march(name)
    assert march.name == name
    assert set(march.operations) == set(OPERATIONS)


@pytest.mark.parametrize("name", NAMES)
def test_every_number_has_provenance(name: str) -> None:
    document = json.loads((MARCHES / f"{name}.json").read_text(encoding="utf-8"))
    naked = [path for path, _ in _numbers(document) if path.split(".")[0] not in _UNBACKED]
    assert naked == []
    backed = list(_backed(document))
    assert len(backed) > 60
    for path, node in backed:
        why = [node[key] for key in ("source", "derivation", "fit", "reason") if key in node]
        assert len(why) == 1 and len(why[0]) > 1, path
        assert (node["provenance"] == "fitted") == ("fit" in node) == ("error" in node), path


def test_naked_number_is_found() -> None:
    assert [path for path, _ in _numbers({"memory": {"on_chip_bytes": 5}})] == ["memory.on_chip_bytes"]


def test_page_is_current() -> None:
    assert (ROOT / "docs" / "marches.md").read_text(encoding="utf-8") == march_page(), (
        "run `python -m runtime.bpu.march_page > docs/marches.md`"
    )


def test_shift_only_march() -> None:
    bits = {name: load_march(name).arithmetic.multiplier_bits.value for name in NAMES}
    assert bits == {name: 1 if name == "bernoulli2" else 15 for name in NAMES}


@pytest.mark.parametrize(
    ("name", "op", "in_bits", "out_bits", "reason"),
    [
        ("bayes", "conv", 16, 32, None),
        ("nash-e", "lookup", 16, 16, None),
        (
            *("bayes", "grid_sample", 16, 8),
            "`grid_sample` on bayes takes input of int8, not int16 (published: J5 OpenExplorer manual, "
            "plugin operator appendix: features int8, grid int8 or int16)",
        ),
        (
            *("bernoulli2", "conv", 16, 8),
            "`conv` on bernoulli2 takes input of int8, not int16 (published: D-Robotics/rdk_doc, "
            "supported_op_list.md and plugin api_reference: int8 in and out, no int16)",
        ),
        (
            *("bernoulli2", "grid_sample", 8, 8),
            "`grid_sample` runs on the CPU of bernoulli2, not on its BPU (published: D-Robotics/rdk_doc, "
            "supported_op_list.md)",
        ),
        (
            *("bernoulli2", "flip", 8, 8),
            "`flip` is not supported on bernoulli2 (assumed: not in the public lists)",
        ),
        ("bayes", "softmax", 8, 8, "`softmax` is not known to bayes"),
    ],
)
def test_supports(name: str, op: str, in_bits: int, out_bits: int, reason: str | None) -> None:
    assert load_march(name).supports(op, in_bits, out_bits) == reason


def test_limit_is_reported_with_value_and_source() -> None:
    operation = Operation(
        op="grid_sample", in_shapes=((6, 64, 16, 44), (6, 1200, 512, 2)), out_shape=(6, 64, 1200, 512)
    )
    assert broken_limits(load_march("bayes"), operation) == [
        "`grid_sample` on bayes: height or width in pixels is 1200, must be at most 1024 (published: "
        "D-Robotics/rdk_doc, supported_op_list.md and J5 OpenExplorer manual, plugin operator appendix)"
    ]


@pytest.mark.parametrize(
    ("name", "changes", "measure"),
    [
        ("bernoulli2", {"kernel": (9, 9)}, "height or width of the kernel is 9, must be at most 7"),
        ("bernoulli2", {"dilation": (3, 3)}, "dilation is 3, must be one of 1, 2, 4"),
        ("bernoulli2", {"out_shape": (200, 64, 32, 32)}, "batch size (N) is 200, must be at most 128"),
        ("bayes", {"kernel": (33, 1)}, "height or width of the kernel is 33, must be at most 31"),
        (
            "bayes",
            {"dilation": (2, 2), "stride": (2, 2)},
            "stride of a dilated convolution is 2, must be at most 1",
        ),
        ("bayes", {"padding": (300, 0)}, "padding is 300, must be at most 256"),
        (
            "nash-e",
            {"in_shapes": ((1, 2048, 32, 32),), "kernel": (7, 7)},
            "kernel height times kernel width times input channels of a group is 100352, must be at most "
            "65535",
        ),
    ],
)
def test_limits_of_convolutions(name: str, changes: dict[str, Any], measure: str) -> None:
    plain = Operation(op="conv", in_shapes=((1, 64, 32, 32),), out_shape=(1, 64, 32, 32), kernel=(3, 3))
    march = load_march(name)
    assert broken_limits(march, plain) == []
    (found,) = broken_limits(march, dataclasses.replace(plain, **changes))
    assert measure in found


def test_resize_limits_of_the_first_generation() -> None:
    march = load_march("bernoulli2")
    shrunk = Operation(op="resize", in_shapes=((1, 8, 512, 512),), out_shape=(1, 8, 2, 4))
    (found,) = broken_limits(march, shrunk)
    assert "factor by which a side shrinks is 256, must be below 256" in found


def test_every_measure_is_used_by_a_shipped_march() -> None:
    used = set()
    for name in NAMES:
        march = load_march(name)
        for limits in (march.general_limits, *(rule.limits for rule in march.operations.values())):
            used |= {limit.measure for limit in limits}
    assert used == set(MEASURES)


def test_unknown_name() -> None:
    with pytest.raises(RunError) as error:
        load_march("bayse")
    assert str(error.value) == (
        "error: `march` is `bayse`, which is none of bayes, bayes-e, bernoulli2, nash-e, nash-m, nash-p\n"
        "hint: did you mean `bayes`?"
    )
    with pytest.raises(RunError, match="names a march file of your own"):
        load_march("xyz")


def test_march_of_ones_own(tmp_path: Path) -> None:
    path = _changed(tmp_path, lambda document: document.update(name="mine"))
    assert load_march(path).name == "mine"
    assert load_march(str(path)).name == "mine"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda document: document.pop("memory"),
            "'memory' is a required property",
        ),
        (
            lambda document: document["clock_ghz"].update(value=-1),
            "`clock_ghz.value`: -1 is less than or equal to the minimum of 0",
        ),
        (
            lambda document: document["clock_ghz"].pop("source"),
            "`clock_ghz`: 'source' is a required property",
        ),
        (
            lambda document: document["cores"].update(value=1.5),
            "`cores.value`: 1.5 is not of type 'integer'",
        ),
        (
            lambda document: document["cores"].update(provenance="guessed"),
            "`cores.provenance`: 'guessed' is not one of ['published', 'derived', 'fitted', 'assumed']",
        ),
        (
            lambda document: document["operations"]["conv"]["runs_on"].update(value="GPU"),
            "`operations.conv.runs_on.value`: 'GPU' is not one of "
            "['TAE', 'VAE', 'AAE', 'DTE', 'CPU', 'unsupported']",
        ),
        (
            lambda document: document["operations"].update(convv=document["operations"]["conv"]),
            "`operations.convv`: no such operation\nhint: did you mean `conv`?",
        ),
        (
            lambda document: document["general_limits"][0].update(measure="bacth"),
            "`general_limits`: no measure `bacth`\nhint: did you mean `batch`?",
        ),
        (
            lambda document: document.update(extra=1),
            "Additional properties are not allowed ('extra' was unexpected)",
        ),
    ],
)
def test_damaged_content(tmp_path: Path, change: Callable[[Any], object], message: str) -> None:
    path = _changed(tmp_path, change)
    with pytest.raises(RunError) as error:
        load_march(path)
    assert str(error.value) == f"{path}: error: {message}"


@pytest.mark.parametrize(
    ("content", "place", "message"),
    [
        (b'{"name": ', ":1:10", "not JSON: Expecting value"),
        (b"\xff\xfe", "", "not UTF-8 text"),
        (b"[1]", "", "[1] is not of type 'object'"),
        (b"[" * 100_000, "", "nested too deeply for a march file"),
        (b'{"name": NaN}', "", "not JSON: NaN is no number of JSON"),
    ],
)
def test_damaged_file(tmp_path: Path, content: bytes, place: str, message: str) -> None:
    path = tmp_path / "mine.json"
    path.write_bytes(content)
    with pytest.raises(RunError) as error:
        load_march(path)
    assert str(error.value) == f"{path}{place}: error: {message}"


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(RunError) as error:
        load_march(tmp_path / "none.json")
    assert str(error.value) == (
        f"{tmp_path}/none.json: error: No such file or directory\n"
        "hint: marches that come with specgen are named without `.json`"
    )


def _changed(folder: Path, change: Callable[[Any], object]) -> Path:
    document = json.loads((MARCHES / "bayes-e.json").read_text(encoding="utf-8"))
    change(document)
    path = folder / "mine.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def _numbers(node: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """Numbers that stand outside a node with provenance."""
    if isinstance(node, dict):
        if "provenance" not in node:
            for key, value in node.items():
                yield from _numbers(value, f"{path}.{key}" if path else key)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _numbers(value, f"{path}.{index}")
    elif isinstance(node, int | float):
        yield path, node


def _backed(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        if "provenance" in node:
            yield path, node
        else:
            for key, value in node.items():
                yield from _backed(value, f"{path}.{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _backed(value, f"{path}.{index}")
