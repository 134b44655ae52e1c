"""The fit to silicon: its networks are those of the literature, and the march files hold what it found."""

from __future__ import annotations

import pytest

from benchmarks.flops_line import line_errors, line_leave_one_out
from benchmarks.free_constants import Constant, with_constants
from benchmarks.march_text import march_text
from benchmarks.measurements import Measurement, read_measurements
from benchmarks.networks.catalogue import NETWORKS
from benchmarks.robust_fit import fit, leave_one_out
from runtime.bpu.march import load_march
from runtime.bpu.march_data import March
from runtime.bpu.network_cost import network_cost
from runtime.bpu.operation import Operation

# Pixels, millions of parameters and of multiply-accumulates as the authors, torchvision, timm or Ultralytics
# publish them.
PUBLISHED = {
    "EfficientNet-lite0": (224, 4.65, 385),
    "EfficientNet-lite1": (240, 5.42, 600),
    "EfficientNet-lite2": (260, 6.09, 860),
    "FasterNet-T0": (224, 3.9, 340),
    "GoogLeNet": (224, 6.62, 1498),
    "MobileNetV1": (224, 4.23, 569),
    "MobileNetV2": (224, 3.50, 301),
    "RepVGG-A0": (224, 8.31, 1360),
    "RepVGG-A1": (224, 12.79, 2364),
    "ResNet18": (224, 11.69, 1814),
    "ResNet50": (224, 25.56, 4089),
    "ResNet152": (224, 60.19, 11514),
    "ResNeXt50-32x4d": (224, 25.03, 4230),
    "YOLOv8n": (640, 3.15, 4350),
    "YOLOv8l-seg": (640, 45.97, None),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_have_their_published_size(name: str) -> None:
    """To 2 %: published counts differ in batch normalisation, pooling and the decoding of boxes."""
    size, parameters, macs = PUBLISHED[name]
    operations = NETWORKS[name]((1, 3, size, size))
    assert sum(operation.parameters for operation in operations) / 1e6 == pytest.approx(parameters, rel=0.02)
    if macs is not None:
        counted = sum(operation.macs for operation in operations if operation.has_weights)
        assert counted / 1e6 == pytest.approx(macs, rel=0.02)


@pytest.mark.parametrize("name", ["bayes-e", "nash-e"])
def test_march_files_predict_as_well_as_they_say(name: str) -> None:
    march = load_march(name)
    rows = [row for row in read_measurements() if row.march == name and row.use != "check"]
    errors = [abs(network_cost(march, row.operations).microseconds / row.microseconds - 1) for row in rows]
    assert march.accuracy.rows == len(rows) >= 4
    assert march.accuracy.in_sample == pytest.approx(sum(errors) / len(errors), abs=1e-3)


@pytest.mark.parametrize("name", ["bayes-e", "nash-e"])
def test_target_of_the_fit(name: str) -> None:
    accuracy = load_march(name).accuracy
    assert accuracy.leave_one_out is not None and accuracy.in_sample is not None
    assert accuracy.in_sample < accuracy.leave_one_out <= 0.15


def test_cores_share_the_throughput() -> None:
    (row,) = (row for row in read_measurements() if row.march == "bernoulli2" and row.network == "ResNet18")
    assert row.microseconds == pytest.approx(2e6 / 232.74)


def test_fit_finds_the_constants_that_made_the_times() -> None:
    truth = {"dense": 700.0, "ddr": 3.0, "operation": 900.0}
    march = with_constants(load_march("bayes-e"), truth)
    rows = [_measurement(march, *sizes) for sizes in ((16, 64), (64, 64), (256, 28), (512, 7), (1024, 3))]
    constants = {name: Constant(value * 3, 10.0, "far off") for name, value in truth.items()}
    sizes = [int(march.memory.on_chip_bytes.value)]
    found = fit(load_march("bayes-e"), rows, constants, sizes)
    assert found.values == pytest.approx(truth, rel=0.1)
    assert max(abs(error) for error in leave_one_out(march, rows, constants, sizes)) < 0.05


def test_without_rows_the_priors_stay() -> None:
    constants = {"dense": Constant(123.0, 0.5, "a guess")}
    found = fit(load_march("bayes"), [], constants, [2**20])
    assert found.values == pytest.approx({"dense": 123.0})
    assert found.errors == pytest.approx({"dense": 0.5})


def test_line_is_exact_on_a_line() -> None:
    march = load_march("bayes-e")
    rows = [_measurement(march, channels, 16) for channels in (8, 16, 64, 128)]
    straight = [
        Measurement(row.network, row.march, 5.0 + 3.0 * row.giga_operations, row.use, row.operations)
        for row in rows
    ]
    assert max(map(abs, line_errors(straight))) < 1e-9
    assert max(map(abs, line_leave_one_out(straight))) < 1e-9
    assert max(map(abs, line_errors(rows))) > 1e-3


def test_march_text_is_what_ships() -> None:
    """One number a line, so that a fit shows as a short diff."""
    text = march_text(
        {"a": {"b": {"value": 1, "provenance": "assumed", "reason": "ü"}}, "c": ["x"], "d": [{"e": 1}]}
    )
    assert text == (
        '{\n  "a": {\n    "b": {"value": 1, "provenance": "assumed", "reason": "ü"}\n  },\n'
        '  "c": ["x"],\n  "d": [\n    {"e": 1}\n  ]\n}\n'
    )


def _measurement(march: March, channels: int, size: int) -> Measurement:
    shape = (1, channels, size, size)
    operations = tuple(
        Operation(op="conv", in_shapes=(shape,), out_shape=shape, kernel=kernel)
        for kernel in ((1, 1), (3, 3))
    )
    time = network_cost(march, operations).microseconds

    return Measurement(f"{channels}", "bayes-e", time, "table", operations)
