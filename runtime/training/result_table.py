"""Evaluation results as a table for people."""

from collections.abc import Mapping
from typing import Any

_ERROR_UNITS = {"mATE": "m", "mASE": "1 - IoU", "mAOE": "rad", "mAVE": "m/s", "mAAE": "1 - acc"}


def result_table(report: Mapping[str, Any]) -> str:
    """The results, and what they were measured on, in fixed-width columns.

    Args:
        report: `stage`, `checkpoint`, `split`, `num_samples`, `data_digest`, `line_width`, and `metrics` by
            metric name.
    """
    lines = [
        f"stage {report['stage']}, weights {report['checkpoint'] or 'untrained'}",
        f"split {report['split']}, {report['num_samples']} samples, data {str(report['data_digest'])[:12]}",
    ]
    for name, values in report["metrics"].items():
        lines += ["", name, *_metric_lines(values, report.get("line_width"))]
    return "\n".join(lines)


def _metric_lines(values: Mapping[str, float], line_width: float | None) -> list[str]:
    rows: list[tuple[str, str]] = []
    for key, value in values.items():
        note = ""
        if key in _ERROR_UNITS:
            note = f"  {_ERROR_UNITS[key]}"
        elif key == "mIoU":
            note = "  map classes" + (f", lines {line_width:g} m wide" if line_width is not None else "")
        elif key == "mIoU_all":
            note = "  with others"
        rows.append((key.replace("/", " "), f"{'   n/a' if value != value else f'{value:.4f}'}{note}"))
    # Means first, classes after: that is the order in which results are read.
    order = sorted(range(len(rows)), key=lambda index: " " in rows[index][0])
    width = max((len(key) for key, _ in rows), default=0)
    return [f"  {rows[index][0]:<{width}}  {rows[index][1]}" for index in order]
