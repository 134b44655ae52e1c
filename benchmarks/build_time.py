"""How long a build and the help take, against importing the libraries that a compiler of specs needs.

Run it as `python benchmarks/build_time.py [--rounds N]` in the repository's root. Commands run in turns, so
that other work on the machine hits all of them alike; compared is the least processor time of each.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence

BASE = "import jsonschema, yaml, jinja2"
BOUNDS = {"specgen build specs/bev_ipm.yaml": 3.0, "specgen --help": 1.5}


def seconds(command: Sequence[str]) -> float:
    """Processor time of a command, user and system."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measured(rounds: int) -> dict[str, float]:
    """Least processor time of each command."""
    with tempfile.TemporaryDirectory() as folder:
        specgen = [sys.executable, "-m", "specgen"]
        commands = {
            BASE: [sys.executable, "-c", BASE],
            "specgen build specs/bev_ipm.yaml": [
                *specgen,
                "build",
                "specs/bev_ipm.yaml",
                "--out",
                f"{folder}/out",
            ],
            "specgen --help": [*specgen, "--help"],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(rounds + 1):  # the first round fills caches, of bytecode and of files
            for name, command in commands.items():
                times[name].append(seconds(command))
    return {name: min(values[1:]) for name, values in times.items()}


def main() -> int:
    """Prints times and ratios; 1 when a ratio is over its bound."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=15)
    times = measured(parser.parse_args().rounds)
    print(f"{BASE:<34} {times[BASE] * 1e3:6.0f} ms")
    over = 0
    for name, bound in BOUNDS.items():
        ratio = times[name] / times[BASE]
        over += ratio > bound
        print(f"{name:<34} {times[name] * 1e3:6.0f} ms   ratio {ratio:.2f}, bound {bound}")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
