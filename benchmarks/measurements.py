"""Published throughputs of public networks: `data/latency.csv`, one row a network and chip."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from benchmarks.networks.catalogue import NETWORKS
from runtime.bpu.march import load_march
from runtime.bpu.operation import Operation

_FILE = Path(__file__).parent / "data" / "latency.csv"


@dataclass(frozen=True)
class Measurement:
    """One network on one chip, saturated.

    Args:
        network: its name.
        march: of the chip.
        microseconds: of one run on one busy core: cores / FPS at the highest number of threads.
        use: `table` of classifiers or `anchor` from elsewhere (both are fitted, and left out in turn), or
            `check` (never fitted).
        operations: of the network.
    """

    network: str
    march: str
    microseconds: float
    use: str
    operations: tuple[Operation, ...]

    @property
    def giga_operations(self) -> float:
        """Twice the multiply-accumulates of weights, in 1e9: what tables call FLOPs."""
        return 2e-9 * sum(operation.macs for operation in self.operations if operation.has_weights)


def read_measurements() -> list[Measurement]:
    with _FILE.open(encoding="utf-8", newline="") as file:
        return [_measurement(row) for row in csv.DictReader(file)]


def _measurement(row: dict[str, str]) -> Measurement:
    image = (1, 3, int(row["height"]), int(row["width"]))
    return Measurement(
        network=row["network"],
        march=row["march"],
        microseconds=1e6 * load_march(row["march"]).cores.value / float(row["fps"]),
        use=row["use"],
        operations=tuple(NETWORKS[row["network"]](image)),
    )
