"""Fits the free constants of the marches to published throughputs and says how well that predicts.

    python -m benchmarks.latency_fit                 # prints
    python -m benchmarks.latency_fit --write         # and writes what was fitted into runtime/bpu/marches
    python -m benchmarks.latency_fit --table-only    # prints the same without the anchors from other sources

What is written loses the errors of schedules: `schedule_error --write` tells them anew.
The model is runtime/bpu/operation_cost.py; priors and measurements are benchmarks/data/. Needs scipy.

Each row is left out of all that is fitted, the size of memory included. The form of the model was chosen
with all rows in sight: with maps that pass through DDR either whole or not at all, the error on the table of
X5 is 15 %.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from benchmarks.fitted_march import mean_absolute, write_fit
from benchmarks.flops_line import line_errors, line_leave_one_out
from benchmarks.march_fits import MarchFit, march_fits
from benchmarks.measurements import Measurement, read_measurements
from benchmarks.robust_fit import leave_one_out, predict


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write the constants into the march files")
    parser.add_argument("--table-only", action="store_true", help="leave out rows whose use is `anchor`")
    arguments = parser.parse_args()
    if arguments.write and arguments.table_only:
        parser.error("what is written is fitted to all rows: --write goes without --table-only")
    unused = "anchor" if arguments.table_only else None
    measurements = [row for row in read_measurements() if row.use != unused]
    for one in march_fits(measurements):
        _tell(one, write=arguments.write)


def _tell(one: MarchFit, *, write: bool) -> None:
    march, rows, found = one.march, one.rows, one.found
    in_sample = [predict(march, found, row) / row.microseconds - 1 for row in rows]
    left_out = leave_one_out(march, rows, one.constants, one.sizes) if len(rows) > 1 else []
    print(f"\n{march.name}, {found.on_chip_bytes / 2**20:g} MiB on chip")
    for constant, value in found.values.items():
        prior, error = one.constants[constant], found.errors[constant]
        print(f"  {constant:10} {value:10.4g} ± {error:4.0%}   prior {prior.prior:.4g}: {prior.reason}")
    _print_rows(rows, in_sample, left_out)
    for row in one.checks:
        error = predict(march, found, row) / row.microseconds - 1
        print(f"  {row.network:20} {row.use:7} {row.microseconds:9.1f} us {error:+9.1%}")
    if write:
        write_fit(march.name, one.on_chip_mib, one.constants, found, rows, in_sample, left_out)


def _print_rows(rows: Sequence[Measurement], in_sample: Sequence[float], left_out: Sequence[float]) -> None:
    if not rows:
        return
    print("  network              use      measured     in sample  left out")
    for index, row in enumerate(rows):
        out = f"{left_out[index]:+8.1%}" if left_out else "       -"
        print(f"  {row.network:20} {row.use:7} {row.microseconds:9.1f} us {in_sample[index]:+9.1%}  {out}")
    print(f"  mean absolute error: in sample {mean_absolute(in_sample):.1%}", end="")
    print(f"; {_left_out_text(rows, left_out)}" if left_out else "")
    if len(rows) > 2:
        print(f"  straight line in FLOPs: in sample {mean_absolute(line_errors(rows)):.1%}", end="")
        print(f"; {_left_out_text(rows, line_leave_one_out(rows))}")


def _left_out_text(rows: Sequence[Measurement], errors: Sequence[float]) -> str:
    table = [error for row, error in zip(rows, errors, strict=True) if row.use == "table"]
    return f"left out {mean_absolute(errors):.1%}, of table rows alone {mean_absolute(table):.1%}"


if __name__ == "__main__":
    main()
