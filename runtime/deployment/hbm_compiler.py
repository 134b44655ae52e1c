"""The stage `compile`: the exported network becomes a program of the chip, with an estimate of its speed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runtime.atomic_file import write_bytes, write_json
from runtime.bpu.compiler.compile import compile_graph
from runtime.bpu.compiler.options import CompilerOptions, Level, Objective
from runtime.bpu.graph_operations import operations_of_graph
from runtime.bpu.march import load_march
from runtime.bpu.performance.chrome_trace import chrome_trace
from runtime.bpu.performance.page import performance_page
from runtime.bpu.performance.report import performance
from runtime.bpu.performance.text import error_text, performance_text
from runtime.bpu.performance.timeline import timeline
from runtime.bpu.program.hbm_file import write_hbm
from runtime.bpu.simulator.hazards import check_hazards
from runtime.bpu.simulator.verify import verify
from runtime.deployment.made_files import EXPORT, HBIR_FILE, HBM_FILE, find_made
from runtime.hbir.onnx_file import read_graph
from runtime.training.report import duration, say, show
from runtime.training.run_directory import RunDirectory


class HbmCompiler:
    """Writes `model.hbm`, what the simulated chip runs, and `performance.*`, how fast the chip would be.

    Args:
        march: name of the chip.
        optimization_level: 0, 1 or 2, see `CompilerOptions`.
        objective: `latency` or `ddr`, what the compiler saves.
    """

    def __init__(
        self, *, march: str, optimization_level: Level = 2, objective: Objective = "latency"
    ) -> None:
        self.march = march
        self.options = CompilerOptions(optimization_level, objective)

    def sources(self, experiment: Path) -> dict[str, Path]:
        """See `StageTool`."""
        return {EXPORT: find_made(experiment, EXPORT, HBIR_FILE)}

    def work(self, run: RunDirectory, sources: Mapping[str, Path]) -> dict[str, Any]:
        """See `StageTool`; prints the performance, and adds its main figures and what the program is.

        Raises:
            RunError: an unknown march, one that does not run the network, a damaged export, or a file that
                cannot be written.
        """
        started = time.perf_counter()
        march = load_march(self.march)
        graph = read_graph(sources[EXPORT])
        program = compile_graph(graph, march, self.options)
        verify(program)
        check_hazards(program)
        compiled = time.perf_counter() - started
        path = run.path / HBM_FILE
        digest = write_hbm(path, program)

        times = timeline(program)
        document = performance(program, march, operations_of_graph(graph), times)
        page = performance_page(document, program, times, title=f"{run.experiment.name}, {run.path.name}")
        text = performance_text(document)
        write_json(run.path / "performance.json", document)
        write_bytes(run.path / "performance.html", page.encode())
        write_bytes(run.path / "performance.txt", f"{text}\n".encode())
        write_json(run.path / "trace.json", chrome_trace(program, times, march.clock_ghz.value))
        show(text)
        say(f"compiled in {duration(compiled)}: {path}, content {digest[:12]}")
        say(f"page {run.path / 'performance.html'}")
        speed = document["summary"]["performance"]
        return {
            "program": {
                "digest": digest,
                "source": program.source,
                "march": program.march,
                "march_digest": program.march_digest,
                "options": dict(program.options),
                "compile_seconds": round(compiled, 2),
            },
            "performance": {
                "march": program.march,
                "latency_us": speed["latency_us"],
                "fps": speed["fps"],
                "cores": speed["cores"],
                "frame": speed["frame"],
                "leave_one_out": speed["accuracy"]["leave_one_out"],
                "error": error_text(speed),
            },
        }
