"""Products and bytes of operations."""

import copy

import torch
from labelled_network import LabelledNetwork, labelled_batches, labelled_task

from runtime.models.operation_count import count_calls
from runtime.quantization.analysis.network_work import network_cost
from runtime.quantization.analysis.operation_work import macs, work


def test_macs_are_those_of_the_float_model() -> None:
    shadow = copy.deepcopy(LabelledNetwork()).to("meta")
    count = count_calls(
        shadow,
        lambda: shadow.raw_outputs(
            torch.empty(1, 3, 8, 8, device="meta"), torch.empty(1, 5, 6, 2, device="meta")
        ),
    )
    graph = labelled_task(labelled_batches()).graph
    found = {operation.name: macs(operation, graph.modules[operation.name]) for operation in graph.operations}
    assert sum(found.values()) == count.macs
    assert found["stem"] == 6 * 64 * 27
    assert found["sample"] == 4 * 6 * 30
    assert found["add"] == 0


def test_bytes_of_a_convolution_by_hand() -> None:
    graph = labelled_task(labelled_batches()).graph
    near = next(operation for operation in graph.operations if operation.name == "near")
    narrow, wide = (work(near, graph.modules["near"], bits, 32) for bits in (8, 16))
    assert narrow.bytes == 6 * 30 + 4 * 2 * 30 + 6 * 2 * 9
    assert wide.bytes == narrow.bytes + 6 * 30
    assert wide.macs == 2 * narrow.macs


def test_a_network_is_the_sum_of_its_operations() -> None:
    graph = labelled_task(labelled_batches()).graph
    seen: list[tuple[str, int, int]] = []

    def cycles(operation: object, in_bits: int, out_bits: int) -> float:
        seen.append((operation.name, in_bits, out_bits))  # type: ignore[attr-defined]
        return 2.0

    cost = network_cost(graph, cycles)
    assert cost.cycles == 2.0 * len(graph.operations)
    # Points of 16 bits are no input whose width counts; results leave as accumulators.
    assert seen == [
        ("img", 8, 8),
        ("stem", 8, 8),
        ("project", 8, 8),
        ("add", 8, 8),
        ("sample", 8, 8),
        ("near", 8, 32),
        ("far", 8, 32),
    ]
    assert network_cost(graph, None).cycles is None
    assert cost.macs == sum(macs(operation, graph.modules[operation.name]) for operation in graph.operations)
