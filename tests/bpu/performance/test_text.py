"""The performance in a few lines."""

from __future__ import annotations

from typing import Any

from runtime.bpu.performance.text import performance_text

SPEED = {
    **{"latency_us": 5000.0, "fps": 400.0, "cores": 2, "frame": "one surround frame"},
    "analytic_latency_us": 7000.0,
    "accuracy": {"text": "± 12.3 % (so)", "analytic": {"text": "± 9.0 % (so, too)"}},
}


def layer(name: str, compute: float, load: float, bound: str) -> dict[str, Any]:
    return {
        **{"name": name, "op": "conv", "compute_us": compute, "overhead_us": 1.0},
        **{"load_us": load, "store_us": 0.5, "bound": bound},
    }


def document(**changed: Any) -> dict[str, Any]:
    summary = {
        "performance": SPEED,
        "ddr_access": {"loaded_bytes": 4_000_000, "stored_bytes": 1_500_000, "mean_gb_per_s": 1.1},
        "memory": {
            **{"chip_peak_bytes": 2048, "chip_bytes": 4096, "ddr_bytes": 9_000_000},
            "static_bytes": 3_000_000,
        },
        "utilisation": {"LOAD": 0.5, "TAE": 0.254},
        "model": {"march": "bayes", "turns": [6, 1], "layers": 3, "instructions": 12},
        "layers": [
            layer("short", 1.0, 2.0, "ddr"),
            layer("long.one", 40.0, 2.0, "compute"),
            layer("loads", 3.0, 9.0, "ddr"),
        ],
    }
    return {"summary": {**summary, **changed}}


def test_all_of_it() -> None:
    assert performance_text(document(), layers=2) == (
        "bayes: 5.00 ms, 400.0 frames/s on 2 cores (one surround frame)\n"
        "  error  ± 12.3 % (so); without a schedule, layer by layer, 7.00 ms: ± 9.0 % (so, too)\n"
        "  DDR    4.00 MB read, 1.50 MB written, 1.10 GB/s\n"
        "  memory 2 of 4 KiB on the chip; DDR 9.00 MB, constants 3.00 MB\n"
        "  busy   LOAD 50 %, TAE 25 %\n"
        "  3 layers, 12 instructions in 2 blocks of 6 turns, 1 turn\n"
        "\n"
        "layer     op    compute us  DDR us  bound\n"
        "long.one  conv        41.0     2.5  compute\n"
        "loads     conv         4.0     9.5  ddr"
    )


def test_one_core_and_one_turn() -> None:
    speed = {**SPEED, "cores": 1}
    model = {"march": "bayes", "turns": [1], "layers": 3, "instructions": 12}
    lines = performance_text(document(performance=speed, model=model)).splitlines()
    assert lines[0] == "bayes: 5.00 ms, 400.0 frames/s on one core (one surround frame)"
    assert lines[5] == "  3 layers, 12 instructions in one block of 1 turn"
