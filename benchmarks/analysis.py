#!/usr/bin/env python3
"""Time counting and analysing a log against DuckDB, Polars and pandas answering the same groupings, in one run.

  python3 benchmarks/analysis.py [--rows 2000000] [--rounds 3]

Cold: everything from the CSV, without a checkpoint. Warm: after 1 % was appended. Whole processes are timed. Ours
also runs every analyser and writes all results and pages, which the rivals do not.
"""
from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict, List

from measure import ROOT, Run, in_turn, machine, median_ratio, python_with, run_once

ROW_BYTES = 181


def main() -> None:
    """Run the comparison and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000_000, help="rows of the log (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="measured rounds (default %(default)s)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.csv"
        subprocess.check_call([sys.executable, str(ROOT / "src" / "run_all_simulators.py"), "--quiet", "--seed", "1",
                               "--start", "2026-01-01", str(chosen.rows * ROW_BYTES / 1e6), "--output", str(log)],
                              stdout=subprocess.DEVNULL)
        print(f"{machine()}; about {chosen.rows:,} rows; medians of {chosen.rounds} rounds in turn\n")
        cold = in_turn(_commands(log, Path(folder)), chosen.rounds)
        _print_table(cold, chosen.rows)
        _print_warm(log, Path(folder), chosen.rounds, statistics.median(run.wall for run in cold["toolkit, cold"]))


def _ours(log: Path, folder: Path, *more: str) -> List[str]:
    return [sys.executable, str(ROOT / "src" / "run_all_analyzers.py"), "--csv", str(log), "--output",
            str(folder / "reports"), "--quiet", *more]


def _commands(log: Path, folder: Path) -> Dict[str, List[str]]:
    rivals, python = ROOT / "benchmarks" / "rivals", python_with("bench")
    return {"toolkit, cold": _ours(log, folder, "--no-cache"),
            **{name: [python, str(rivals / f"analyze_{name.lower()}.py"), str(log)]
               for name in ("DuckDB", "Polars", "pandas")}}


def _print_table(runs: Dict[str, List[Run]], rows: int) -> None:
    ours = next(iter(runs.values()))
    print("| | seconds | rows a second | its time / ours | processor seconds | peak MiB of a process |\n"
          "| --- | --- | --- | --- | --- | --- |")
    for name, measured in runs.items():
        wall, peak = statistics.median(run.wall for run in measured), max(run.peak_mib for run in measured)
        # Where other work takes the cores, the seconds of the processor say more than those of the clock.
        processor = statistics.median(run.cpu for run in measured)
        print(f"| {name} | {wall:.2f} | {rows / wall:,.0f} | {median_ratio(ours, measured):.2f} | {processor:.2f} "
              f"| {peak:,.0f} |")


def _print_warm(log: Path, folder: Path, rounds: int, cold: float) -> None:
    lines = log.read_bytes().splitlines(keepends=True)[1:]
    size = len(lines) // 100
    run_once(_ours(log, folder))
    runs = []
    for number in range(rounds):
        grown = [line.replace(b"sim-", b"w%d-" % number, 1) for line in lines[-size:]]
        with open(log, "ab") as handle:
            handle.writelines(grown)
        runs.append(run_once(_ours(log, folder)))
    shutil.rmtree(str(folder / "reports"))
    warm, processor = (statistics.median(one[place] for one in runs) for place in (0, 1))
    print(f"\nwarm, after 1 % was appended: {warm:.2f} s ({processor:.2f} of the processor), {warm / cold:.0%} of cold "
          f"(goal: 5 % of cold + 0.3 s = {0.05 * cold + 0.3:.2f} s)")


if __name__ == "__main__":
    main()
