"""A report as JSON; docs/checker.md says what the keys mean."""

from __future__ import annotations

from typing import Any

from runtime.bpu.checker.report import CheckReport, NodeReport, Remark
from runtime.bpu.checker.rules import RULES, explanation

VERSION = 1


def json_report(report: CheckReport) -> dict[str, Any]:
    """Plain dictionaries and lists, for `json.dumps`; equal reports give equal ones."""
    return {
        "version": VERSION,
        "march": report.march.name,
        "verdict": report.verdict,
        "fits": report.fits,
        "refusal": report.refusal,
        "places": report.places,
        "padding": {unit: round(share, 4) for unit, share in report.padding.items()},
        "rules": {
            rule: explanation(rule) for rule in RULES if any(remark.rule == rule for remark in report.remarks)
        },
        "findings": [_remark(remark) for remark in report.remarks],
        "suggestions": [
            {
                "text": suggestion.text,
                "saves": None if suggestion.saves is None else round(suggestion.saves, 4),
                "nodes": list(suggestion.nodes),
            }
            for suggestion in report.suggestions
        ],
        "nodes": [_node(node) for node in report.nodes],
    }


def _remark(remark: Remark) -> dict[str, Any]:
    finding = remark.finding
    limit = list(finding.limit) if isinstance(finding.limit, tuple) else finding.limit
    return {
        "node": remark.node,
        "rule": remark.rule,
        "level": finding.level,
        "message": finding.message,
        "measure": finding.measure,
        "found": finding.found,
        "limit": limit,
        "provenance": finding.provenance,
        "why": finding.why,
    }


def _node(node: NodeReport) -> dict[str, Any]:
    total, grid = node.largest_sum, node.grid
    return {
        "name": node.name,
        "op": node.op,
        "place": node.place,
        "in_shapes": [list(shape) for shape in node.in_shapes],
        "out_shape": list(node.out_shape),
        "requested_bits": list(node.widths.requested),
        "granted_bits": None if node.widths.granted is None else list(node.widths.granted),
        "padding": None if node.padding is None else round(node.padding, 4),
        "cycles": None if node.cycles is None else round(node.cycles, 1),
        "multiplier_bits": node.multiplier_bits,
        "sum": None
        if total is None
        else {
            "lowest": total.lowest,
            "highest": total.highest,
            "bits": total.bits,
            "float32_passes": total.float32_passes,
        },
        "grid": None
        if grid is None
        else {
            "dtype": grid.dtype,
            "fraction_bits": grid.fraction_bits,
            "best_fraction_bits": grid.best_fraction_bits,
            "step_pixels": grid.step,
            "reach_pixels": grid.reach,
            "side_pixels": grid.side,
        },
    }
