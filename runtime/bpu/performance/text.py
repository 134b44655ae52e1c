"""The performance of a program in a few lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from runtime.text_columns import aligned_columns

_LAYERS = 10


def performance_text(document: Mapping[str, Any], *, layers: int = _LAYERS) -> str:
    """Latency with its error, traffic, memory, and the layers that take longest."""
    summary = document["summary"]
    speed, access, memory, model = (summary[key] for key in ("performance", "ddr_access", "memory", "model"))
    busy = ", ".join(f"{unit} {100 * share:.0f} %" for unit, share in summary["utilisation"].items())
    lines = [
        f"{model['march']}: {speed['latency_us'] / 1e3:.2f} ms, {speed['fps']:.1f} frames/s on "
        f"{cores(speed['cores'])} ({speed['frame']})",
        f"  error  {error_text(speed)}",
        f"  DDR    {access['loaded_bytes'] / 1e6:.2f} MB read, {access['stored_bytes'] / 1e6:.2f} MB "
        f"written, {access['mean_gb_per_s']:.2f} GB/s",
        f"  memory {memory['chip_peak_bytes'] / 1024:.0f} of {memory['chip_bytes'] / 1024:.0f} KiB on the "
        f"chip; DDR {memory['ddr_bytes'] / 1e6:.2f} MB, constants {memory['static_bytes'] / 1e6:.2f} MB",
        f"  busy   {busy}",
        f"  {model['layers']} layers, {model['instructions']} instructions in {_blocks(model['turns'])}",
        "",
    ]
    slowest = sorted(summary["layers"], key=lambda layer: -_busy(layer))[:layers]
    rows = [("layer", "op", "compute us", "DDR us", "bound")]
    rows += [
        (
            layer["name"],
            layer["op"],
            f"{layer['compute_us'] + layer['overhead_us']:.1f}",
            f"{layer['load_us'] + layer['store_us']:.1f}",
            layer["bound"],
        )
        for layer in slowest
    ]
    return "\n".join([*lines, *aligned_columns(rows, right=(2, 3))])


def error_text(speed: Mapping[str, Any]) -> str:
    """How far such estimates are from silicon: `speed` is `summary.performance`."""
    accuracy = speed["accuracy"]
    words, analytic = accuracy["text"], accuracy["analytic"]["text"]
    without = f"without a schedule, layer by layer, {speed['analytic_latency_us'] / 1e3:.2f} ms"
    return f"{words}; {without}" + (f": {analytic}" if analytic != words else "")


def _blocks(turns: Sequence[int]) -> str:
    shown = ["1 turn" if count == 1 else f"{count} turns" for count in turns]
    if len(shown) == 1:
        return f"one block of {shown[0]}"
    return f"{len(shown)} blocks of {', '.join(shown)}"


def cores(count: int) -> str:
    """In words."""
    return "one core" if count == 1 else f"{count} cores"


def _busy(layer: Mapping[str, Any]) -> float:
    return max(layer["compute_us"] + layer["overhead_us"], layer["load_us"] + layer["store_us"])
