"""Reads march files: `load_march("bayes-e")`, or `load_march("my_chip.json")` for a chip that is not ours."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import jsonschema

from runtime.bpu.march_data import (
    Accuracy,
    Alignment,
    Arithmetic,
    Lanes,
    Limit,
    March,
    Memory,
    Numbers,
    OperationRule,
    Overhead,
    Quantity,
    ScheduleAccuracy,
    TensorEngine,
    Word,
)
from runtime.bpu.operation import OPERATIONS
from runtime.bpu.operation_measures import MEASURES
from runtime.errors import RunError

_HERE = Path(__file__).resolve().parent
MARCHES = _HERE / "marches"
_REASONS = ("source", "derivation", "fit", "reason")
_Value = TypeVar("_Value")


def march_names() -> tuple[str, ...]:
    """The marches that come with the package, in alphabetical order."""
    return tuple(sorted(path.stem for path in MARCHES.glob("*.json")))


def march_path(name: str | os.PathLike[str]) -> Path:
    """The file of a march: a name of `march_names`, or a path that ends in `.json`.

    Raises:
        RunError: for a name that no file has.
    """
    text = os.fspath(name)
    if text.endswith(".json"):
        return Path(text)
    names = march_names()
    if text in names:
        return MARCHES / f"{text}.json"
    raise RunError(
        f"`march` is `{text}`, which is none of {', '.join(names)}",
        hint=_did_you_mean(text, names) or "a path that ends in `.json` names a march file of your own",
    )


def load_march(name: str | os.PathLike[str]) -> March:
    """The march of a name, or of a file of that schema (`march.schema.json`).

    Raises:
        RunError: for an unknown name, a missing or damaged file, an unknown operation or measure in it.
    """
    path = march_path(name)
    return parse_march(_read(path), place=str(path))


def parse_march(document: Any, *, place: str) -> March:
    """The march of a parsed march file; `place` is for messages.

    Raises:
        RunError: when it does not follow `march.schema.json`, or names an unknown operation or measure.
    """
    _check(document, place)
    rates = document["macs_per_cycle"]
    return March(
        name=document["name"],
        chips=tuple(document["chips"]),
        summary=document["summary"],
        cores=_quantity(document["cores"]),
        clock_ghz=_quantity(document["clock_ghz"]),
        advertised_tops=_quantity(document["advertised_tops"]),
        units=_frozen({unit: _word(node) for unit, node in document["units"].items()}),
        tensor=TensorEngine(
            macs_per_cycle=_frozen(
                {
                    bits: _frozen(_quantities(rates[f"int{bits}xint8"]))
                    for bits in (8, 16)
                    if f"int{bits}xint8" in rates
                }
            )
        ),
        lanes=Lanes(**_quantities(document["lanes"])),
        memory=Memory(**_quantities(document["memory"])),
        alignment=Alignment(**_quantities(document["alignment"])),
        arithmetic=Arithmetic(**_quantities(document["arithmetic"])),
        overhead=Overhead(**_quantities(document["overhead"])),
        accuracy=_accuracy(document["accuracy"]),
        general_limits=tuple(_limit(node) for node in document["general_limits"]),
        operations=_frozen({op: _rule(node) for op, node in document["operations"].items()}),
    )


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        place = f"{path}:{error.lineno}:{error.colno}"
        raise RunError(f"not JSON: {error.msg}", place=place) from None
    except UnicodeDecodeError:
        raise RunError("not UTF-8 text", place=str(path)) from None
    except ValueError as error:
        raise RunError(f"not JSON: {error}", place=str(path)) from None
    except RecursionError:
        raise RunError("nested too deeply for a march file", place=str(path)) from None
    except OSError as error:
        hint = None if path.parent == MARCHES else "marches that come with specgen are named without `.json`"
        raise RunError(error.strerror or str(error), place=str(path), hint=hint) from None


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is no number of JSON")


def _check(document: Any, place: str) -> None:
    schema = json.loads((_HERE / "march.schema.json").read_text(encoding="utf-8"))
    errors = list(jsonschema.Draft202012Validator(schema).iter_errors(document))
    if errors:
        worst = jsonschema.exceptions.best_match(errors)
        key = ".".join(str(part) for part in worst.absolute_path)
        raise RunError(f"`{key}`: {worst.message}" if key else worst.message, place=place)
    limits = [("general_limits", document["general_limits"])]
    for op, node in document["operations"].items():
        if op not in OPERATIONS:
            raise RunError(
                f"`operations.{op}`: no such operation", place=place, hint=_did_you_mean(op, OPERATIONS)
            )
        limits.append((f"operations.{op}.limits", node["limits"]))
    for key, nodes in limits:
        for node in nodes:
            if node["measure"] not in MEASURES:
                hint = _did_you_mean(node["measure"], MEASURES)
                raise RunError(f"`{key}`: no measure `{node['measure']}`", place=place, hint=hint)


def _quantity(node: Mapping[str, Any]) -> Quantity:
    return Quantity(node["value"], node["provenance"], _why(node), node.get("error"))


def _quantities(nodes: Mapping[str, Mapping[str, Any]]) -> dict[str, Quantity]:
    return {name: _quantity(node) for name, node in nodes.items()}


def _word(node: Mapping[str, Any]) -> Word:
    return Word(node["value"], node["provenance"], _why(node))


def _numbers(node: Mapping[str, Any]) -> Numbers:
    return Numbers(tuple(node["value"]), node["provenance"], _why(node))


def _why(node: Mapping[str, Any]) -> str:
    return next(str(node[key]) for key in _REASONS if key in node)


def _limit(node: Mapping[str, Any]) -> Limit:
    (relation,) = (key for key in node if key != "measure")
    bound = node[relation]
    return Limit(node["measure"], relation, _numbers(bound) if relation == "one_of" else _quantity(bound))


def _rule(node: Mapping[str, Any]) -> OperationRule:
    return OperationRule(
        runs_on=_word(node["runs_on"]),
        in_bits=_numbers(node["in_bits"]),
        out_bits=_numbers(node["out_bits"]),
        limits=tuple(_limit(limit) for limit in node["limits"]),
    )


def _accuracy(node: Mapping[str, Any]) -> Accuracy:
    schedule = None
    if "schedule" in node:
        schedule = ScheduleAccuracy(_frozen(node["schedule"]["left_out"]), node["schedule"]["how"])
    return Accuracy(node["rows"], node["in_sample"], node["leave_one_out"], node["fit"], schedule)


def _frozen(mapping: dict[Any, _Value]) -> Mapping[Any, _Value]:
    return MappingProxyType(mapping)


def _did_you_mean(word: str, known: Any) -> str | None:
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean `{found[0]}`?" if found else None
