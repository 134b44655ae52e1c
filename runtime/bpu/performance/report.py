"""The performance of a program as a document: what `performance.json` holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from runtime.bpu.march_data import March
from runtime.bpu.network_cost import network_cost, network_microseconds
from runtime.bpu.operation import Operation
from runtime.bpu.performance.accuracy import schedule_accuracy
from runtime.bpu.performance.chip_buffers import chip_buffers, peak_bytes
from runtime.bpu.performance.intervals import intervals
from runtime.bpu.performance.layer_times import LayerTimes, layer_times
from runtime.bpu.performance.timeline import Timeline, timeline
from runtime.bpu.program.instruction import UNITS
from runtime.bpu.program.program import Program

Document = dict[str, Any]

_SURROUND = "one surround frame: all cameras of one moment"


def performance(
    program: Program, march: March, operations: list[Operation], times: Timeline | None = None
) -> Document:
    """The report of a program.

    Args:
        program: compiled for `march`.
        march: whose clock and memory turn cycles into time.
        operations: of the graph that it was compiled from, one a layer.
        times: of the program, if they are known already.

    Returns:
        `summary`: `performance` (latency, frames per second, the analytic model's latency for comparison, and
        the errors of both on measured networks), `ddr_access`, `memory`, `intervals`, `layers`,
        `model`; `buffers`: what lies where on the chip. Times in microseconds, sizes in bytes.

    Raises:
        RunError: the march does not run one of the operations.
    """
    times = times or timeline(program)
    layers = layer_times(program, times, operations, march.overhead.operation_cycles.value)
    us_per_cycle = 1e-3 / march.clock_ghz.value
    latency = network_microseconds(march, times.cycles)
    return {
        "format": "specgen performance",
        "version": 1,
        "source": program.source,
        "summary": {
            "performance": _performance(march, operations, latency, program.options),
            "ddr_access": _ddr_access(layers, latency),
            "memory": _memory(program, march, times),
            "utilisation": _utilisation(times),
            "intervals": intervals(times, us_per_cycle),
            "layers": [_layer(layer, us_per_cycle, latency) for layer in layers],
            "model": _model(program, march, operations),
        },
        "roofline": _roofline(march, layers, operations),
        "buffers": [
            {
                "layer": program.layers[buffer.layer].name,
                "loaded": buffer.loaded,
                "address": buffer.address,
                "size": buffer.size,
                "start_us": buffer.start * us_per_cycle,
                "end_us": buffer.end * us_per_cycle,
            }
            for buffer in chip_buffers(times)
        ],
    }


def _performance(
    march: March, operations: list[Operation], latency: float, options: Mapping[str, Any]
) -> Document:
    cores = int(march.cores.value)
    return {
        "latency_us": latency,
        "fps": 1e6 / latency * cores,
        "frame": _SURROUND,
        "cores": cores,
        "analytic_latency_us": network_cost(march, operations).microseconds,
        "accuracy": schedule_accuracy(march, options),
    }


def _ddr_access(layers: list[LayerTimes], latency: float) -> Document:
    loaded, stored = sum(layer.loaded for layer in layers), sum(layer.stored for layer in layers)
    return {
        "loaded_bytes": loaded,
        "stored_bytes": stored,
        "mean_gb_per_s": (loaded + stored) / latency * 1e-3,
    }


def _memory(program: Program, march: March, times: Timeline) -> Document:
    inputs = sum(tensor.bytes for tensor in program.inputs)
    outputs = sum(program.types[name].bytes for name in program.outputs)
    static = len(program.constants)
    return {
        "chip_bytes": int(march.memory.on_chip_bytes.value),
        "chip_peak_bytes": peak_bytes(times),
        "ddr_bytes": program.ddr_bytes,
        "static_bytes": static,
        "input_bytes": inputs,
        "output_bytes": outputs,
        "intermediate_bytes": max(0, program.ddr_bytes - static - inputs - outputs),
    }


def _utilisation(times: Timeline) -> dict[str, float]:
    busy: Counter[str] = Counter()
    for block in times.blocks:
        for span in block.spans:
            busy[span.instruction.unit] += (span.end - span.start) * block.turns
    return {unit: busy[unit] / max(1, times.cycles) for unit in UNITS}


def _layer(layer: LayerTimes, us_per_cycle: float, latency: float) -> Document:
    return {
        "name": layer.name,
        "op": layer.op,
        "unit": layer.unit,
        "active_us": [layer.start * us_per_cycle, layer.end * us_per_cycle],
        "compute_us": layer.compute * us_per_cycle,
        "share_of_latency": layer.compute * us_per_cycle / latency,
        "overhead_us": layer.overhead * us_per_cycle,
        "load_us": layer.load * us_per_cycle,
        "store_us": layer.store * us_per_cycle,
        "loaded_bytes": layer.loaded,
        "stored_bytes": layer.stored,
        "macs": layer.macs,
        "instructions": layer.instructions,
        "bound": layer.bound,
    }


def _model(program: Program, march: March, operations: list[Operation]) -> Document:
    macs: Counter[str] = Counter()
    for operation in operations:
        if operation.has_weights:
            macs[f"int{operation.in_bits}xint{operation.weight_bits}"] += operation.macs
    return {
        "march": program.march,
        "march_digest": program.march_digest,
        "clock_ghz": march.clock_ghz.value,
        "options": dict(program.options),
        "layers": len(program.layers),
        "instructions": sum(len(block.instructions) for block in program.blocks),
        "turns": [block.turns for block in program.blocks],
        "macs": dict(sorted(macs.items())),
    }


def _roofline(march: March, layers: list[LayerTimes], operations: list[Operation]) -> Document:
    """Work against traffic: MACs a cycle over MACs a byte of DDR, with the roofs of the march at int8."""
    points = [
        {
            "layer": layer.name,
            "kind": operation.kind,
            "macs_per_byte": layer.macs / (layer.loaded + layer.stored),
            "macs_per_cycle": layer.macs / busy,
        }
        for layer, operation in zip(layers, operations, strict=True)
        if operation.has_weights
        and layer.loaded + layer.stored
        and (busy := max(layer.compute + layer.overhead, layer.load + layer.store))
    ]
    return {
        "peak_macs_per_cycle": {kind: rate.value for kind, rate in march.tensor.macs_per_cycle[8].items()},
        "ddr_bytes_per_cycle": march.ddr_bytes_per_cycle,
        "points": points,
    }
