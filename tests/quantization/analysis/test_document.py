"""The keys of `analysis.json`: what reads it relies on them, and docs/quantization.md lists them."""

import json
import re
from pathlib import Path
from typing import Any

from a_document import a_document, document_text

from runtime.quantization.analysis.document import VERSION
from specgen import analysis_run

PAGE = Path(__file__).resolve().parents[3] / "docs" / "quantization.md"
KEYS = {
    "": "version march num_samples sensitivity_samples float_loss fixed_loss output_sqnr_db ranges layers "
    "sensitivity worst_samples plan",
    "ranges": "name op bits scale clip low high saturated code_low code_high unused zeros histogram "
    "first_bin",
    "layers": "name op bits accumulated alone",
    "layers.accumulated": "sqnr_db cosine",
    "layers.alone": "sqnr_db cosine",
    "sensitivity": "name kind op bits loss_increase output_error output_sqnr_db",
    "worst_samples": "token sqnr_db worst_output worst_sqnr_db",
    "plan": "float_loss base steps points chosen wanted skipped rules",
    "plan.base": "macs bytes cycles",
    "plan.steps": "name rule loss_increase output_error extra",
    "plan.steps.rule": "match bits",
    "plan.steps.extra": "macs bytes cycles",
    "plan.points": "raised loss output_sqnr_db extra",
    "plan.points.extra": "macs bytes cycles",
    "plan.skipped": "name reason",
    "plan.rules": "match bits",
}


def keys_of(value: Any, path: str = "") -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    if isinstance(value, dict):
        found[path] = set(value)
        for key, item in value.items():
            found |= keys_of(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for item in value:
            for place, keys in keys_of(item, path).items():
                assert found.setdefault(place, keys) == keys
    return found


def test_keys_are_stable() -> None:
    found = a_document()
    assert found["plan"]["steps"] and found["plan"]["skipped"] and found["worst_samples"]
    found["plan"]["rules"] = found["plan"]["rules"] or [{"match": "x", "bits": 16}]
    assert keys_of(found) == {path: set(keys.split()) for path, keys in KEYS.items()}


def test_every_key_is_documented() -> None:
    text = PAGE.read_text(encoding="utf-8")
    section = text[text.index("## Analysis") :]
    documented = set(re.findall(r"`([a-z_0-9]+)`", section))
    missing = {key for keys in KEYS.values() for key in keys.split()} - documented
    assert not missing


def test_both_sides_speak_of_one_version() -> None:
    assert VERSION == analysis_run.VERSION == a_document()["version"]


def test_plain_json_without_infinities() -> None:
    assert json.loads(document_text()) == a_document()
    assert "Infinity" not in document_text() and "NaN" not in document_text()
