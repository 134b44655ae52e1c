"""The analysis of a small network, made as the report of a run makes it."""

import json
from functools import cache
from typing import Any

from labelled_network import labelled_batches, labelled_task

from runtime.quantization.analysis.compare import compare
from runtime.quantization.analysis.document import analysis_document
from runtime.quantization.analysis.plan import make_plan
from runtime.quantization.analysis.sensitivity import sensitivities


@cache
def document_text() -> str:
    batches = labelled_batches()
    task = labelled_task(batches)
    comparison, costs = compare(task, batches), sensitivities(task, batches[:1])
    largest = {item.name: max(-item.low, item.high) for item in comparison.ranges}
    plan = make_plan(
        task, batches, costs, largest, cycles=lambda operation, in_bits, out_bits: float(in_bits)
    )
    found = analysis_document(comparison, costs, plan, sensitivity_samples=3, march="some-chip")
    return json.dumps(found)


def a_document() -> dict[str, Any]:
    return json.loads(document_text())  # type: ignore[no-any-return]
