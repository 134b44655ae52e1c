"""Programs against silicon: the networks have their edges, the march files say what the benchmark finds."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from benchmarks.march_fits import MarchFit, march_fits
from benchmarks.measurements import Measurement, read_measurements
from benchmarks.networks.catalogue import LAYERS
from benchmarks.schedule_error import ScheduleErrors, row_errors, write_errors
from runtime.bpu.estimate.lowering import network_of
from runtime.bpu.march import load_march, march_path
from runtime.bpu.operation import Operation

IMAGE = (1, 3, 128, 128)
QUICK = {"bayes-e": ("FasterNet-T0", "RepVGG-A0"), "nash-e": ("MobileNetV2",)}


def nameless(operations: Iterable[Operation]) -> Counter[Operation]:
    return Counter(replace(operation, name="") for operation in operations)


@pytest.mark.parametrize("name", LAYERS)
def test_graphs_are_the_networks_that_were_fitted(name: str) -> None:
    layers = LAYERS[name](IMAGE)
    fitted = nameless(layers.operations)
    if name == "YOLOv8l-seg":
        # The fit leaves the prototypes of the masks on the chip: 0.8 MB of some 70 ms.
        (last,) = (one for one in fitted if one.op == "lookup" and one.out_shape == (1, 32, 32, 32))
        fitted[replace(last, writes_ddr=True)] = fitted.pop(last)
    assert nameless(network_of(layers.graph).operations) == fitted


@cache
def fits() -> dict[str, MarchFit]:
    return {one.march.name: one for one in march_fits(read_measurements())}


@pytest.mark.parametrize(
    ("march", "network"), [(name, one) for name, found in QUICK.items() for one in found]
)
def test_march_files_say_what_is_found(march: str, network: str) -> None:
    one = fits()[march]
    (row,) = (row for row in one.rows if row.network == network)
    stored = load_march(march).accuracy.schedule
    assert stored is not None
    assert set(stored.errors) == {row.network for row in one.rows}
    assert row_errors(one, row).left_out == pytest.approx(stored.errors[network], abs=0.02), (
        "the compiler's programs have other times: run `python -m benchmarks.schedule_error --write`"
    )


def test_levels_are_compared_on_the_chip_of_the_file() -> None:
    one = fits()["nash-e"]
    (row,) = (row for row in one.rows if row.network == "MobileNetV2")
    found = row_errors(one, row)
    assert found.levels[2] <= found.levels[1] <= found.levels[0]
    assert found.analytic == pytest.approx(found.nodes)


@pytest.mark.parametrize("name", ["bayes-e", "nash-e"])
def test_errors_of_schedules(name: str) -> None:
    """The bar of the analytic model."""
    schedule = load_march(name).accuracy.schedule
    assert schedule is not None
    assert schedule.leave_one_out <= 0.15
    assert abs(schedule.bias) < schedule.leave_one_out


def test_writing_leaves_the_rest_alone(tmp_path: Path) -> None:
    path = Path(shutil.copy(march_path("bayes-e"), tmp_path / "chip.json"))
    before = json.loads(path.read_text())
    rows = [Measurement(name, "bayes-e", 1.0, "table", ()) for name in "abcd"]
    errors = [ScheduleErrors(row, 0.0, 0.0, (0.0,) * 3, 0.1 * index) for index, row in enumerate(rows)]
    check = ScheduleErrors(replace(rows[0], network="e", use="check"), 0.0, 0.0, (0.0,) * 3, 9.0)
    write_errors(str(path), [*errors, check])
    found = load_march(path).accuracy.schedule
    assert found is not None and found.errors == {"a": 0.0, "b": 0.1, "c": 0.2, "d": 0.3}
    assert found.leave_one_out == found.bias == pytest.approx(0.15)
    write_errors(str(path), errors[:3])
    after = json.loads(path.read_text())
    assert load_march(path).accuracy.schedule is None
    before["accuracy"].pop("schedule", None)
    assert after == before
