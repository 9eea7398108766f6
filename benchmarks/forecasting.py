#!/usr/bin/env python3
"""Score the forecast beside the plain daily average on simulated logs without incidents.

  python3 benchmarks/forecasting.py [--seeds 8] [--first 301] [--mb 50]

The first 45, 60 or 75 days of 90 foretell the next 30 (or what is left), for the cost of each scenario's
organisations and of the whole log. The error is that of the sum, relative to what came, at most 200 %; the interval
holds a share of days and a share of sums, where 80 % is meant.
"""
from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict, List, NamedTuple, Sequence

from measure import ROOT, machine

sys.path.insert(0, str(ROOT / "src"))

from analyzers.common import mean, median, whole_days  # noqa: E402
from analyzers.forecast import forecast  # noqa: E402
from rollup.dataset import load_dataset  # noqa: E402

START, DAYS = "2026-01-01", 90
CUTS, AHEAD = (45, 60, 75), 30
WHOLE = "whole log"
MOST = 2.0


class Score(NamedTuple):
    """One forecast: of what, from which day, errors of ours and of the average, what the interval held."""

    series: str
    cut: int
    error: float
    average_error: float
    days_held: float
    sum_held: bool


def score_log(path: Path) -> List[Score]:
    """Score all forecasts of a log."""
    rollup = load_dataset(path, use_checkpoint=False).rollup
    scenarios = json.loads(path.with_suffix(".truth.json").read_text(encoding="utf-8"))["runs"][0]["organizations"]
    days = {day: place for place, day in enumerate(whole_days(rollup))}
    series: Dict[str, List[float]] = {}
    for (day, organization), nano in rollup.sums("cost_nano", "day", "organization").items():
        if day not in days:
            continue
        for name in (WHOLE, scenarios[organization]):
            series.setdefault(name, [0.0] * len(days))[days[day]] += nano
    return [score(name, values, cut) for name, values in sorted(series.items()) for cut in CUTS]


def score(name: str, values: Sequence[float], cut: int) -> Score:
    """Foretell a series from a day on and compare."""
    came = values[cut:cut + AHEAD]
    ahead = forecast(values[:cut], len(came))
    whole = sum(came)
    if ahead is None or not whole:
        raise SystemExit(f"{name} has no cost to forecast")
    return Score(name, cut, min(MOST, abs(ahead.total - whole) / whole),
                 min(MOST, abs(mean(values[:cut]) * len(came) - whole) / whole),
                 mean([float(low <= value <= high) for low, value, high in zip(ahead.low, came, ahead.high)]),
                 ahead.total_low <= whole <= ahead.total_high)


def row(name: str, scores: Sequence[Score]) -> str:
    """Return a line of the table."""
    ours, plain = ([one[place] for one in scores] for place in (2, 3))
    better = mean([float(one.error < one.average_error) for one in scores])
    return (f"| {name} | {len(scores)} | {mean(ours):.2f} | {mean(plain):.2f} | {median(ours):.2f} "
            f"| {median(plain):.2f} | {better:.0%} | {mean([one.days_held for one in scores]):.0%} "
            f"| {mean([float(one.sum_held) for one in scores]):.0%} |")


def main() -> None:
    """Score all seeds and print a table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seeds", type=int, default=8, help="number of logs (default %(default)s)")
    options.add_argument("--first", type=int, default=301, help="seed of the first (default %(default)s)")
    options.add_argument("--mb", type=float, default=50.0, help="size of each log (default %(default)s)")
    chosen = options.parse_args()
    scores: List[Score] = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(chosen.first, chosen.first + chosen.seeds):
            path = Path(folder) / f"{seed}.csv"
            subprocess.check_call(
                [sys.executable, str(ROOT / "src" / "run_all_simulators.py"), str(chosen.mb), "--seed", str(seed),
                 "--start", START, "--days", str(DAYS), "--no-incidents", "--quiet", "--output", str(path)],
                stdout=subprocess.DEVNULL)
            scores += score_log(path)
            path.unlink()
    print(f"{machine()}; seeds {chosen.first} to {chosen.first + chosen.seeds - 1}, {chosen.mb:g} MB each\n")
    print("| series | forecasts | mean error | of the daily average | median | of the daily average | better "
          "| days inside | sums inside |\n" + "| --- " * 9 + "|")
    print(row("all", scores))
    for cut in CUTS:
        print(row(f"from day {cut}", [one for one in scores if one.cut == cut]))
    for name in sorted({one.series for one in scores}):
        print(row(name, [one for one in scores if one.series == name]))


if __name__ == "__main__":
    main()
