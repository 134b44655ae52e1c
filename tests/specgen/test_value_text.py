"""Values on one line, as a spec writes them: read back they are the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specgen.value_text import value_text
from specgen.yaml_text import parse_yaml

# What no text of a spec can hold is left out.
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
SCALARS = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(-1e9, 1e9) | TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abc1- ", min_size=1, max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(VALUES)
def test_a_value_is_read_back(value: object) -> None:
    back = parse_yaml(f"x: {value_text(value)}", "x.yaml")
    assert repr(back.plain_at("x")).replace("$${", "${") == repr(value).replace("$${", "${")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2e-5, "2e-5"),
        ({"type": "resnet", "depth": 50}, "{type: resnet, depth: 50}"),
        ({"2": 16, 4: 24}, "{2: 16, 4: 24}"),
        ([True, None, "yes", "a b"], '[true, null, "yes", "a b"]'),
        ("${size}", '"$${size}"'),
    ],
)
def test_as_a_spec_writes_it(value: object, text: str) -> None:
    assert value_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [("${size}", "${size}"), ("${root}/train", '"${root}/train"'), (["${a}"], "[${a}]"), ("plain", "plain")],
)
def test_variables_stand_as_they_are_written(value: object, text: str) -> None:
    assert value_text(value, variables=True) == text
