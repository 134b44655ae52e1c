"""A replay computes what a whole run computes, and less."""

from collections import Counter

import pytest
import torch
from labelled_network import labelled_batches, labelled_task

from runtime.quantization.analysis.capture import watching
from runtime.quantization.analysis.replay import Replay
from runtime.quantization.analysis.rounding import roundings
from runtime.quantization.calibration import set_state
from runtime.quantization.state import State


def test_every_start_gives_the_losses_of_a_whole_run() -> None:
    batches = labelled_batches()
    task = labelled_task(batches)
    set_state(task.model, State.FLOAT)
    whole = []
    for rounding in roundings(task.graph):
        with rounding.switched_on():
            whole.append(task.run(batches[0]))
    with Replay(task.graph) as replay:
        for (loss, outputs), rounding in zip(whole, roundings(task.graph), strict=True):
            replay.start_at(rounding.module.name)
            with rounding.switched_on():
                found_loss, found = task.run(batches[0])
            assert found_loss == loss
            assert all(torch.equal(found[name], outputs[name]) for name in outputs)


def test_starts_may_be_left_out() -> None:
    batches = labelled_batches()
    task = labelled_task(batches)
    set_state(task.model, State.FLOAT)
    expected, _ = task.run(batches[0])
    with Replay(task.graph) as replay:
        for name in ("img", "project", "near"):
            replay.start_at(name)
            assert task.run(batches[0])[0] == expected


def test_what_lies_before_is_computed_once() -> None:
    batches = labelled_batches()
    task = labelled_task(batches)
    set_state(task.model, State.FLOAT)
    computed: Counter[str] = Counter()
    for module in task.graph.modules.values():
        compute = module.real
        module.real = lambda *x, compute=compute, name=module.name: (computed.update([name]), compute(*x))[1]
    with Replay(task.graph) as replay, watching(task.graph, lambda *seen: None):
        for operation in task.graph.operations:
            replay.start_at(operation.name)
            task.run(batches[0])
    # Once for each start up to its own, and once to be remembered.
    order = [operation.name for operation in task.graph.operations]
    last = len(order) - 1
    assert computed == {name: min(index + 2, last + 1) for index, name in enumerate(order)}


def test_no_step_back_and_no_trace_left() -> None:
    task = labelled_task(labelled_batches())
    with Replay(task.graph) as replay:
        replay.start_at("add")
        with pytest.raises(ValueError, match="`stem` comes before the operation that the replay is at"):
            replay.start_at("stem")
    assert all("forward" not in vars(module) for module in task.graph.modules.values())
