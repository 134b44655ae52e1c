"""Cycles of one operation on one core, from its shapes and widths: the analytic model behind every estimate.

    padded(n, a)   = ceil(n / a) * a
    compute        = work / rate                                         of the unit the operation runs on
      TAE  work    = padded MACs, rate macs_per_cycle[in_bits x 8][kind]
      VAE  work    = elements read (one of each input for every output), rate lanes.vector
      AAE  work    = taps, rate lanes.pool | resize | warp
      DTE  work    = elements written, rate lanes.arrange
    load           = latency + (weights + biases + inputs that lie in DDR) / ddr        [bytes, bytes a cycle]
    store          = latency + (output if it goes to DDR) / ddr
    cycles         = max(compute, load + store) + operation_cycles

Padded MACs: width to `alignment.width`; channels of inputs and outputs to `alignment.in_channels` and
`out_channels`, a grouped convolution packing as many whole groups as fit into one block of inputs (the zeros
between them are multiplied, too). A depthwise convolution pads outputs only. A linear layer has one column,
so no padded width.

Of an operation's maps, the part that exceeds `memory.on_chip_bytes` passes through DDR: of what is read and
of what is written the share `max(0, maps - on_chip) / maps`. Maps of several images or cameras, along the
first axis, are computed one after the other: only those of one have to fit. A network's input and outputs
pass through DDR entirely.
Vector units take `bits / 8` times as long for wider values. Transfers of an operation overlap its own
compute, and nothing else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from runtime.bpu.march_data import UNITS, March
from runtime.bpu.operation import Operation, Shape
from runtime.errors import RunError


@dataclass(frozen=True)
class Work:
    """What an operation asks of the chip, before any rate is known.

    Args:
        unit: TAE, VAE, AAE or DTE.
        rate: name of the rate: a kind of the tensor engine, or a field of `Lanes`.
        amount: padded MACs, elements or taps, in int8 equivalents for the vector units.
        useful: the same without padding.
        load_bytes: read from DDR.
        store_bytes: written to DDR.
        in_bits: chooses the rate of the tensor engine.
    """

    unit: str
    rate: str
    amount: float
    useful: float
    load_bytes: int
    store_bytes: int
    in_bits: int


@dataclass(frozen=True)
class Cost:
    """Cycles of one operation on one core.

    Args:
        unit: that computes: TAE, VAE, AAE or DTE.
        cycles: all in all: `max(compute, load + store) + overhead`.
        compute: of the unit.
        load: of DDR reads.
        store: of DDR writes.
        overhead: fixed.
        load_bytes: read from DDR.
        store_bytes: written to DDR.
        useful: share of the unit's work that is not padding, 0 to 1.
        bound: `compute`, `ddr` or `overhead`: the largest of the three.
    """

    unit: str
    cycles: float
    compute: float
    load: float
    store: float
    overhead: float
    load_bytes: int
    store_bytes: int
    useful: float
    bound: str


def operation_cycles(march: March, operation: Operation) -> Cost:
    """Cycles of one operation on one core of a march, whether or not its limits allow it.

    Raises:
        RunError: when the march does not run the operation on its BPU, or not with these widths.
    """
    refusal = march.supports(operation.op, operation.in_bits, operation.out_bits)
    if refusal is not None:
        raise RunError(refusal, place=operation.name or None)
    return work_cycles(march, operation_work(march, operation))


def operation_work(march: March, operation: Operation) -> Work:
    """What an operation asks of a chip: depends on its alignments and memory size, on no rate."""
    unit = march.operations[operation.op].runs_on.value
    if unit not in UNITS:
        raise RunError(
            f"`{operation.op}` does not run on the BPU of {march.name}", place=operation.name or None
        )
    rate, amount, useful = _work(march, operation)
    weights = _weight_bytes(march, operation)
    maps_in = [
        _map_bytes(shape, bits) for shape, bits in zip(operation.in_shapes, _in_bits(operation), strict=True)
    ]
    map_out = _map_bytes(operation.out_shape, operation.out_bits)
    maps = (sum(maps_in) + map_out) / operation.in_shapes[0][0]
    excess = max(0.0, maps - march.memory.on_chip_bytes.value) / maps
    shares = [1.0 if index == 0 and operation.reads_ddr else excess for index in range(len(maps_in))]
    read = math.ceil(sum(share * size for share, size in zip(shares, maps_in, strict=True)))
    written = math.ceil(map_out * (1.0 if operation.writes_ddr else excess))
    return Work(unit, rate, amount, useful, weights + read, written, operation.in_bits)


def work_cycles(march: March, work: Work) -> Cost:
    """Cycles of known work at a march's rates."""
    if work.unit == "TAE":
        rate = march.tensor.macs_per_cycle[work.in_bits][work.rate].value
    else:
        rate = getattr(march.lanes, work.rate).value
    compute = work.amount / rate
    load, store = _transfer(march, work.load_bytes), _transfer(march, work.store_bytes)
    overhead = march.overhead.operation_cycles.value
    parts = {"compute": compute, "ddr": load + store, "overhead": overhead}
    return Cost(
        unit=work.unit,
        cycles=max(compute, load + store) + overhead,
        compute=compute,
        load=load,
        store=store,
        overhead=overhead,
        load_bytes=work.load_bytes,
        store_bytes=work.store_bytes,
        useful=work.useful / work.amount,
        bound=max(parts, key=lambda part: parts[part]),
    )


def _work(march: March, operation: Operation) -> tuple[str, float, float]:
    """Name of the rate, padded work, useful work."""
    if operation.has_weights:
        return operation.kind, _padded_macs(march, operation), operation.macs
    wide = operation.in_bits / 8
    written, padded = math.prod(operation.out_shape), _padded_elements(march, operation.out_shape)
    read = math.prod(operation.in_shapes[0])
    match operation.op:
        case "add" | "multiply":
            inputs = len(operation.in_shapes)
            return "vector", padded * inputs * wide, written * inputs * wide
        case "view_sum":
            return "vector", _padded_elements(march, operation.in_shapes[0]) * wide, read * wide
        case "concat" | "lookup":
            return "vector", padded * wide, written * wide
        case "max_pool" | "avg_pool":
            taps = math.prod(operation.kernel)
            return "pool", padded * taps * wide, written * taps * wide
        case "resize":
            return "resize", padded * operation.taps * wide, written * operation.taps * wide
        case "grid_sample":
            return "warp", padded * operation.taps * wide, written * operation.taps * wide
        case _:
            return "arrange", padded * wide, written * wide


def _padded_macs(march: March, operation: Operation) -> float:
    pixels = operation.out_shape[0] * _padded_pixels(march, operation.out_shape)
    return pixels * math.prod(operation.kernel) * _padded_channel_products(march, operation)


def _padded_channel_products(march: March, operation: Operation) -> int:
    """Products of input and output channels, zeros of padding and of block diagonals among them."""
    align = march.alignment
    if operation.kind == "depthwise":
        return _padded(operation.out_channels, align.out_channels.value)
    inputs, outputs = operation.in_channels // operation.groups, operation.out_channels // operation.groups
    packed = packed_groups(march, operation)
    blocks = -(-operation.groups // packed)
    padded_in = _padded(inputs * packed, align.in_channels.value)
    return blocks * padded_in * _padded(outputs * packed, align.out_channels.value)


def packed_groups(march: March, operation: Operation) -> int:
    """How many groups of a grouped convolution are computed as one; 1 of any other."""
    inputs = operation.in_channels // operation.groups
    return min(operation.groups, max(1, int(march.alignment.in_channels.value) // inputs))


def _weight_bytes(march: March, operation: Operation) -> int:
    """Padded weights and int32 biases; a depthwise one is stored without padding of inputs."""
    if not operation.has_weights:
        return 0
    weights = _padded_channel_products(march, operation) * math.prod(operation.kernel)
    return weights * operation.weight_bits // 8 + 4 * operation.out_channels


def _padded_elements(march: March, shape: Shape) -> int:
    if len(shape) != 4:
        return math.prod(shape)
    channels = _padded(shape[1], march.alignment.in_channels.value)
    return shape[0] * channels * _padded_pixels(march, shape)


def _padded_pixels(march: March, shape: Shape) -> int:
    """Height times padded width; a single column, as of a pooled map, is not padded."""
    if len(shape) != 4:
        return 1
    return shape[2] * (shape[3] if shape[3] == 1 else _padded(shape[3], march.alignment.width.value))


def _in_bits(operation: Operation) -> list[int]:
    """Widths of the inputs; the grid of `grid_sample` is int16 whatever the map is."""
    bits = [operation.in_bits] * len(operation.in_shapes)
    return [bits[0], *[16] * (len(bits) - 1)] if operation.op == "grid_sample" else bits


def _map_bytes(shape: Shape, bits: int) -> int:
    """As it lies in memory: without padded channels."""
    return math.prod(shape) * bits // 8


def _transfer(march: March, count: int) -> float:
    return march.ddr_latency_cycles + count / march.ddr_bytes_per_cycle if count else 0.0


def _padded(size: int, step: float) -> int:
    return -(-size // int(step)) * int(step)
