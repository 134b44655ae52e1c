"""Plain scalars of YAML 1.2, where YAML 1.1 reads something else."""

import pytest

from specgen.yaml_scalars import UnusableNumber, plain_scalar


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2e-4", 2e-4),
        ("1E3", 1000.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("-.5e1", -5.0),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("-7", -7),
        ("+7", 7),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("yes", "yes"),
        ("on", "on"),
        ("off", "off"),
        ("n", "n"),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("12:30:45", "12:30:45"),
        ("2024-01-01", "2024-01-01"),
        ("1e", "1e"),
        ("e5", "e5"),
        (".", "."),
        ("nan", "nan"),
        ("inf", "inf"),
        ("tRue", "tRue"),
        ("١", "١"),
        ("1\n", "1\n"),
    ],
)
def test_value_and_type(text: str, value: object) -> None:
    found = plain_scalar(text)
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize("text", [".nan", ".inf", "-.INF", "1e999", "9" * 19, "9" * 5000])
def test_numbers_that_no_spec_can_hold(text: str) -> None:
    with pytest.raises(UnusableNumber):
        plain_scalar(text)
