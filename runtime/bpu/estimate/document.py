"""An estimate as JSON; docs/estimate.md says what its keys hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from runtime.bpu.estimate.estimate import Estimate, Refused, Timed
from runtime.bpu.estimate.network import Network
from runtime.bpu.estimate.schedule import NoSchedule, Schedule
from runtime.bpu.estimate.subject import Subject

FORMAT = 1


def estimates_document(
    subject: Subject,
    network: Network,
    estimates: Sequence[Estimate],
    *,
    schedules: Mapping[str, Schedule | NoSchedule] | None = None,
) -> dict[str, Any]:
    """Everything that the text says, and every operation.

    Args:
        subject: where the network is from.
        network: its operations.
        estimates: one a march.
        schedules: of the compiled network, by march.
    """
    compiled = schedules or {}
    return {
        "format": FORMAT,
        "network": {
            "name": subject.name,
            "origin": subject.origin,
            "kind": subject.kind,
            "run": subject.run,
            "operations": len(network.operations),
            "macs": sum(operation.macs for operation in network.operations if operation.has_weights),
            "parameters": sum(operation.parameters for operation in network.operations),
        },
        "left_out": [
            {"source": one.source, "count": len(one.names), "names": list(one.names), "reason": one.reason}
            for one in network.left_out
        ],
        "assumptions": [
            {"source": one.source, "count": one.count, "taken_as": one.words} for one in network.assumptions
        ],
        "marches": [
            {**_march(found), "schedule": _schedule(compiled.get(found.march.name))} for found in estimates
        ],
    }


def _march(found: Estimate) -> dict[str, Any]:
    march = found.march
    return {
        "march": march.name,
        "cores": march.cores.value,
        "milliseconds": found.milliseconds,
        "runs_per_second": found.runs_per_second,
        "cycles": found.cycles,
        "macs": found.macs,
        "utilisation": found.utilisation,
        "ddr_load_bytes": found.load_bytes,
        "ddr_store_bytes": found.store_bytes,
        "ddr_gb_per_s": found.ddr_gb_per_s,
        "accuracy": {
            "text": found.accuracy,
            "leave_one_out": march.accuracy.leave_one_out,
            "networks": march.accuracy.rows,
            "caveats": list(found.caveats),
        },
        "operations": [_operation(timed, found) for timed in found.timed],
        "not_on_bpu": [_refused(refused) for refused in found.refused],
    }


def _schedule(found: Schedule | NoSchedule | None) -> dict[str, Any] | None:
    if found is None:
        return None
    if isinstance(found, NoSchedule):
        return {"refused": found.reason}
    return {
        "milliseconds": found.microseconds / 1e3,
        "ddr_load_bytes": found.loaded_bytes,
        "ddr_store_bytes": found.stored_bytes,
        "accuracy": found.accuracy,
    }


def _operation(timed: Timed, found: Estimate) -> dict[str, Any]:
    operation, cost = timed.operation, timed.cost
    return {
        "name": operation.name,
        "op": operation.op,
        "out_shape": list(operation.out_shape),
        "in_bits": operation.in_bits,
        "out_bits": operation.out_bits,
        "asked_bits": timed.asked_bits,
        "unit": cost.unit,
        "bound": cost.bound,
        "microseconds": cost.cycles / found.march.clock_ghz.value / 1e3,
        "cycles": cost.cycles,
        "compute_cycles": cost.compute,
        "load_cycles": cost.load,
        "store_cycles": cost.store,
        "overhead_cycles": cost.overhead,
        "load_bytes": cost.load_bytes,
        "store_bytes": cost.store_bytes,
        "macs": operation.macs,
        "useful": cost.useful,
    }


def _refused(refused: Refused) -> dict[str, Any]:
    return {"name": refused.operation.name, "op": refused.operation.op, "rules": list(refused.rules)}
