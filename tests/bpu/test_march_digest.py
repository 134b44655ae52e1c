"""The digest of a march: of what programs depend on, not of how its file is written or what it is from."""

from __future__ import annotations

import json
from dataclasses import replace

from runtime.bpu.march import load_march, march_names, march_path, parse_march
from runtime.bpu.march_data import Numbers, Quantity, ScheduleAccuracy, Word
from runtime.bpu.march_digest import march_digest


def test_all_differ() -> None:
    digests = {march_digest(load_march(name)) for name in march_names()}
    assert len(digests) == len(march_names())
    assert all(len(digest) == 64 for digest in digests)


def test_how_a_file_is_written_does_not_matter() -> None:
    document = json.loads(march_path("bayes").read_text())
    clock = document["clock_ghz"]
    clock["value"] = float(clock["value"])
    turned = dict(reversed(document.items()))
    assert march_digest(parse_march(turned, place="x")) == march_digest(load_march("bayes"))


def test_what_programs_and_their_cycles_depend_on_matters() -> None:
    march = load_march("bayes")
    add = march.operations["add"]
    others = [
        replace(march, name="other"),
        replace(march, clock_ghz=replace(march.clock_ghz, value=march.clock_ghz.value * 2)),
        replace(march, memory=replace(march.memory, on_chip_bytes=Quantity(2.0**20, "assumed", "smaller"))),
        replace(
            march,
            operations={**march.operations, "add": replace(add, runs_on=Word("CPU", "assumed", "slow"))},
        ),
        replace(
            march, operations={**march.operations, "add": replace(add, in_bits=Numbers((8,), "assumed", ""))}
        ),
        replace(march, operations={op: march.operations[op] for op in list(march.operations)[1:]}),
        replace(march, general_limits=()),
    ]
    assert len({march_digest(other) for other in (march, *others)}) == len(others) + 1


def test_what_is_only_told_does_not_matter() -> None:
    march = load_march("bayes-e")
    schedule = ScheduleAccuracy({"resnet": 0.5}, "compiled anew")
    add = march.operations["add"]
    unit = replace(add.runs_on, provenance="published", why="measured")
    for other in (
        replace(march, clock_ghz=replace(march.clock_ghz, provenance="fitted", why="measured", error=0.1)),
        replace(march, operations={**march.operations, "add": replace(add, runs_on=unit)}),
        replace(march, accuracy=replace(march.accuracy, rows=99, schedule=schedule)),
        replace(
            march, summary="a chip", chips=("X5", "another"), advertised_tops=Quantity(1.0, "published", "")
        ),
        replace(march, units={unit: Word("other words", "assumed", "") for unit in march.units}),
    ):
        assert other != march and march_digest(other) == march_digest(march)
