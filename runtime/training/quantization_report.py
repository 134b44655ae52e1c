"""The report of a calibrated model: `analysis.json`, `analysis.txt`, `analysis.html` in the run's folder."""

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from runtime.atomic_file import write_bytes, write_json
from runtime.bpu.march import load_march
from runtime.models.structure import BevStructure
from runtime.quantization.analysis.compare import compare
from runtime.quantization.analysis.document import analysis_document
from runtime.quantization.analysis.html_page import analysis_page
from runtime.quantization.analysis.network_work import CycleModel
from runtime.quantization.analysis.plan import make_plan
from runtime.quantization.analysis.sensitivity import sensitivities
from runtime.quantization.analysis.task import Batch, Task, tokens
from runtime.quantization.analysis.text_tables import analysis_text, headline
from runtime.training.march_cycles import march_cycles, march_refuses
from runtime.training.report import duration, say

NUM_SAMPLES = 16
SENSITIVITY_SAMPLES = 8
_PROGRESS_SECONDS = 10.0


def write_quantization_report(
    run_dir: Path,
    model: BevStructure,
    batches: Iterable[Batch],
    *,
    march: str | None = None,
    num_samples: int = NUM_SAMPLES,
    sensitivity_samples: int = SENSITIVITY_SAMPLES,
    wanted: float = 0.5,
) -> dict[str, Any]:
    """Analyse a calibrated model and write what was found.

    Ranges, errors, worst samples and the plan are of the first batches that hold `num_samples` samples
    together, sensitivities of those that hold `sensitivity_samples`: whole batches, at least one. One forward
    pass for each tensor and batch of the latter is most of the time.

    Args:
        run_dir: gets the three files.
        model: calibrated; it is left in evaluation mode, in the quantisation state that it was in.
        batches: labelled, on the device of the model; no more are taken than needed.
        march: name of the chip whose cycles the plan counts; None counts products and bytes alone.
        num_samples: see above.
        sensitivity_samples: see above.
        wanted: share of the loss that fixed point costs, which the plan is to take back.

    Returns:
        what `analysis.json` holds.

    Raises:
        RunError: the model was never calibrated, or the files cannot be written.
    """
    started = time.monotonic()
    model.eval()
    task = Task(model, model.losses)
    taken = _first(batches, max(num_samples, sensitivity_samples))
    few = _first(taken, sensitivity_samples)
    comparison = compare(task, taken)
    costs = sensitivities(task, few, progress=_progress("sensitivity of tensor", len(few)))
    document = analysis_document(
        comparison,
        costs,
        make_plan(
            task,
            taken,
            costs,
            {item.name: max(-item.low, item.high) for item in comparison.ranges},
            cycles=_cycles(march, task),
            wanted=wanted,
            progress=_progress("plan: tensor", 1),
        ),
        sensitivity_samples=_count(few),
        march=march,
    )
    write_json(run_dir / "analysis.json", document)
    write_bytes(run_dir / "analysis.txt", analysis_text(document).encode())
    write_bytes(run_dir / "analysis.html", analysis_page(document, title=run_dir.name).encode())
    for line in headline(document).splitlines():
        say(line)
    say(f"analysis in {duration(time.monotonic() - started)}: {run_dir / 'analysis.html'}")
    return document


def _first(batches: Iterable[Batch], num_samples: int) -> list[Batch]:
    """The first batches that hold so many samples together."""
    taken: list[Batch] = []
    for batch in batches:
        taken.append(batch)
        if _count(taken) >= num_samples:
            break
    return taken


def _count(batches: Iterable[Mapping[str, Any]]) -> int:
    return sum(len(tokens(batch)) for batch in batches)


def _cycles(march: str | None, task: Task) -> CycleModel | None:
    """Of a march that runs the model as it is; one that does not has no cycles to add to."""
    if march is None:
        return None
    found = load_march(march)
    refusal = march_refuses(found, task.graph)
    if refusal is not None:
        say(f"the plan counts no cycles: {refusal}")
        return None
    return march_cycles(found, task.graph)


def _progress(what: str, num_batches: int) -> Callable[[int, int], None]:
    """Says how far the work is, every ten seconds; passes are counted as tensors, over all batches."""
    last = time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last > _PROGRESS_SECONDS:
            last = time.monotonic()
            per_batch = total // num_batches
            batch = f", batch {(done - 1) // per_batch + 1} of {num_batches}" if num_batches > 1 else ""
            say(f"{what} {(done - 1) % per_batch + 1} of {per_batch}{batch}")

    return progress
