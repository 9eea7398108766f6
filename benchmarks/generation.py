#!/usr/bin/env python3
"""Time the simulator against csv.DictWriter and against NumPy with pandas, in one run, as ratios.

  python3 benchmarks/generation.py [--mb 200] [--rounds 5]

All write files of about the same size with the same 19 columns. Whole processes are timed, start-up included, by
the clock and by the processor seconds of all their processes: other work on the machine disturbs these less.
"""
from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Dict, List

from measure import ROOT, Run, in_turn, machine, median_ratio, python_with

ROW_BYTES = 181


def main() -> None:
    """Run the comparison and print its table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--mb", type=int, default=200, help="size of each file (default %(default)s)")
    options.add_argument("--rounds", type=int, default=5, help="measured rounds (default %(default)s)")
    chosen = options.parse_args()
    rows = chosen.mb * 1_000_000 // ROW_BYTES
    with tempfile.TemporaryDirectory() as folder:
        runs = in_turn(_commands(Path(folder), chosen.mb, rows), chosen.rounds)
    print(f"{machine()}; {chosen.mb} MB, about {rows:,} rows; medians of {chosen.rounds} rounds in turn\n")
    _print_table(runs, rows)


def _commands(folder: Path, mb: int, rows: int) -> Dict[str, List[str]]:
    ours = [sys.executable, str(ROOT / "src" / "run_all_simulators.py"), str(mb), "--seed", "1", "--start",
            "2026-01-01", "--quiet", "--output"]
    rivals = ROOT / "benchmarks" / "rivals"
    return {
        "simulator, 1 worker": ours + [str(folder / "one.csv"), "--workers", "1"],
        "simulator, 2 workers": ours + [str(folder / "two.csv"), "--workers", "2"],
        "csv.DictWriter": [sys.executable, str(rivals / "generate_dictwriter.py"), str(folder / "dict.csv"), str(rows)],
        "NumPy + pandas": [python_with("bench"), str(rivals / "generate_pandas.py"), str(folder / "pandas.csv"),
                           str(rows)],
    }


def _print_table(runs: Dict[str, List[Run]], rows: int) -> None:
    first = next(iter(runs.values()))
    print("| | rows a second | against 1 worker | rows a processor second | peak MiB of a process |\n"
          "| --- | --- | --- | --- | --- |")
    for name, measured in runs.items():
        wall = statistics.median(run.wall for run in measured)
        processor = statistics.median(run.cpu for run in measured)
        peak = max(run.peak_mib for run in measured)
        print(f"| {name} | {rows / wall:,.0f} | {1 / median_ratio(first, measured):.2f}x | {rows / processor:,.0f} "
              f"| {peak:,.0f} |")


if __name__ == "__main__":
    main()
