"""A value on one line, as a spec writes it: for messages, tables and documentation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from specgen.emit.spec_yaml import scalar_yaml

_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}\Z")


def value_text(value: Any, *, variables: bool = False) -> str:
    """YAML's flow style: `[40, 320]`, `{type: resnet, depth: 50}`, `2e-5`, `null`.

    `variables` says that the value is from a spec whose `${name}` are not replaced yet.
    """
    if isinstance(value, Mapping):
        entries = (f"{_key(key)}: {value_text(item, variables=variables)}" for key, item in value.items())
        return "{" + ", ".join(entries) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(value_text(item, variables=variables) for item in value) + "]"
    if isinstance(value, str) and variables:
        return value if _VARIABLE.match(value) else scalar_yaml(value).replace("$${", "${")
    return scalar_yaml(value)


def _key(key: Any) -> str:
    return str(key) if isinstance(key, int) or str(key).isdigit() else scalar_yaml(str(key))
