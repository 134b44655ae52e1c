"""All rules of the checker by name, in the order in which they are reported."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from runtime.bpu.checker.grid_precision import grid_reaches_every_pixel, grid_steps_are_fine
from runtime.bpu.checker.on_chip_memory import tensor_fits_on_chip
from runtime.bpu.checker.padding import work_is_mostly_padding
from runtime.bpu.checker.placement import PLACEMENT_RULES, NodeRule
from runtime.bpu.checker.repeated_modules import GraphRule, module_is_used_once

ADVISORY_RULES: tuple[NodeRule, ...] = (
    grid_reaches_every_pixel,
    grid_steps_are_fine,
    work_is_mostly_padding,
    tensor_fits_on_chip,
)
"""Of a node that runs, or does not, whatever they say."""

GRAPH_RULES: tuple[GraphRule, ...] = (module_is_used_once,)

_ALL: tuple[Callable[..., Any], ...] = (*PLACEMENT_RULES, *GRAPH_RULES, *ADVISORY_RULES)
RULES: Mapping[str, Callable[..., Any]] = MappingProxyType({rule.__name__: rule for rule in _ALL})


def explanation(rule: str) -> str:
    """What a rule asks for, in one sentence.

    Raises:
        KeyError: no such rule.
    """
    return " ".join((inspect.getdoc(RULES[rule]) or "").split())
