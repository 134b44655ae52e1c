"""The digest of a march: of its content, not of its name or of how its file is written."""

from __future__ import annotations

import json
from dataclasses import replace

from runtime.bpu.march import load_march, march_names, march_path, parse_march
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


def test_any_number_and_any_reason_matters() -> None:
    march = load_march("bayes")
    others = [
        replace(march, name="other"),
        replace(march, clock_ghz=replace(march.clock_ghz, value=march.clock_ghz.value * 2)),
        replace(march, clock_ghz=replace(march.clock_ghz, why="measured")),
        replace(march, operations={op: march.operations[op] for op in list(march.operations)[1:]}),
        replace(march, general_limits=()),
    ]
    assert len({march_digest(other) for other in (march, *others)}) == len(others) + 1
