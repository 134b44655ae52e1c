"""The literal emitter: whatever the value, the text is that value's literal and nothing else."""

import ast
import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from specgen.emit.literal import literal, number_text
from specgen.emit.spec_yaml import scalar_yaml
from specgen.variables import substituted
from specgen.yaml_text import parse_yaml

HOSTILE = [
    '"); import os; os.system("',
    "'); import os; os.system('",
    "\\",
    '\\"',
    "\n__import__('os')\n",
    '"""',
    "\u202egnp.exe",
    "\x00\x1b[31m",
    "{{ 7 * 7 }}{% raw %}",
    "${name}",
    "$${name}",
    "# comment",
    "noqa\u2028x",
    "\ud800",
]


@given(st.text())
@pytest.mark.parametrize("fixed", [None, *HOSTILE])
def test_text_is_one_string_literal(fixed: str | None, text: str) -> None:
    value = text if fixed is None else fixed
    source = literal(value)
    expression = ast.parse(source, mode="eval").body
    assert isinstance(expression, ast.Constant)
    assert expression.value == value
    assert source.isprintable()  # nothing hides or reorders in review


@given(
    st.one_of(
        st.booleans(),
        st.none(),
        st.integers(-(10**18), 10**18),
        st.floats(allow_nan=False, allow_infinity=False),
    )
)
@example(-0.0)
@example(5e-324)
def test_other_scalars(value: object) -> None:
    back = ast.literal_eval(literal(value))
    assert (type(back), back) == (type(value), value)
    if isinstance(value, float):
        assert math.copysign(1, back) == math.copysign(1, value)


@pytest.mark.parametrize(
    "value", [[1], {"a": 1}, (1,), b"x", 1j, object(), type("S", (str,), {})("x"), type("I", (int,), {})(1)]
)
def test_nothing_else_has_a_literal(value: object) -> None:
    with pytest.raises(TypeError):
        literal(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_without_literal(value: float) -> None:
    with pytest.raises(ValueError):
        literal(value)


def test_numbers_are_short() -> None:
    assert [number_text(v) for v in (2e-5, 1e-8, 1e16, 0.0002, 128.0)] == [
        "2e-5",
        "1e-8",
        "1e16",
        "0.0002",
        "128.0",
    ]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
@example("yes")
@example("2e-4")
@example("~")
@example("a: b")
@example("x # y")
@example("${a}")
@example("1" * 30)
def test_yaml_scalars_read_back(text: str) -> None:
    root = parse_yaml(f"a: {scalar_yaml(text)}\n", "f")
    assert substituted(root, [root]).root.plain() == {"a": text}


def test_ruff_format_leaves_literals_alone(tmp_path: Path) -> None:
    values: list[object] = [
        *HOSTILE,
        2e-5,
        1e16,
        5e-324,
        -1,
        "a'b",
        'a"b',
        "a'\"b",
        "tab\t",
        "é",
        "\xa0",
        "\U000e0001",
    ]
    path = tmp_path / "values.py"
    path.write_text("".join(f"x = {literal(value)}\n" for value in values), encoding="utf-8")
    subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--check", "--diff", "--isolated", str(path)], check=True
    )
