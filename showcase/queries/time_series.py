#!/usr/bin/env python3
"""How cost and calls go over time, whole days only, and where they are heading.

    python3 showcase/queries/time_series.py --csv data/simulated_calls.csv --every month

A day that the log has only in part is left out, or the last point of every series would fall. The forecast comes with
the error that it made when it foretold this log's own past.
"""
from __future__ import annotations

import runpy
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Sequence

if __name__ == "__main__":  # a script finds only the modules beside it: begin again with the toolkit in reach
    runpy.run_path(str(Path(__file__).resolve().parents[2] / "viewer" / "bootstrap.py"))["find_sources"](__file__)

import blocks as b
from analyzers.common import add, change, daily_series, usd, whole_days
from analyzers.forecast import forecast
from analyzers.wording import money, numbered, percent
from console import run_command
from rollup.cubes import Measures
from rollup.rollup import Rollup
from support.logs import counted_log, example_options
from support.printing import told

HORIZON = 30  # days ahead


def _monday(day: str) -> str:
    one = date(*map(int, day.split("-")))
    return (one - timedelta(one.weekday())).isoformat()


EVERY: Mapping[str, Callable[[str], str]] = {"day": str, "week": _monday, "month": lambda day: day[:7]}


def series_of(rollup: Rollup, every: str) -> Dict[str, Any]:
    """Return cost, calls and tokens of each day, week (by its Monday) or month, and the next 30 days' cost."""
    days = whole_days(rollup)
    found = daily_series(rollup, days)
    parts: Dict[str, List[Measures]] = {}
    for day, counted in zip(days, found):
        parts.setdefault(EVERY[every](day), []).append(counted)
    ahead = forecast([float(one.cost_nano) for one in found], HORIZON)
    expected = None if ahead is None else {
        "total": usd(round(ahead.total)), "low": usd(round(ahead.total_low)), "high": usd(round(ahead.total_high)),
        "error": ahead.backtest.forecast_error if ahead.backtest else None}
    return {"headline": _headline(days, add(found), expected), "days": len(days),
            "series": _rows(parts, every), "forecast": expected}


def _rows(parts: Mapping[str, Sequence[Measures]], every: str) -> List[Dict[str, Any]]:
    """Return a row for each part of time; two are compared by their mean day, since parts differ in days."""
    rows: List[Dict[str, Any]] = []
    before = 0.0
    for start, ones in parts.items():
        counted = add(ones)
        a_day = counted.cost_nano / len(ones)
        rows.append({every: start, "days": len(ones), "cost": usd(counted.cost_nano), "calls": counted.calls,
                     "tokens": counted.tokens, "change": change(a_day, before)})
        before = a_day
    return rows


def _headline(days: Sequence[str], counted: Measures, expected: Any) -> str:
    if expected is None:
        return "The log holds no whole day yet."
    error = expected["error"]
    trust = "" if error is None else f", and missed this log's own past by {percent(error)} on the average"
    return (f"{money(usd(counted.cost_nano))} in {numbered(len(days), 'whole day')}; the next {HORIZON} are expected "
            f"to cost {money(expected['low'])} to {money(expected['high'])}{trust}.")


def main(arguments: Sequence[str]) -> int:
    """Print the series."""
    options = example_options(__doc__)
    options.add_argument("--every", choices=sorted(EVERY), default="week", help="a row for each (default %(default)s)")
    given = options.parse_args(arguments)
    table = b.Table("series", f"By {given.every}", most=31, columns=(
        given.every, b.Column("days", kind=b.COUNT), "cost", "calls", "tokens",
        b.Column("change", "Change of a mean day", b.CHANGE)))
    with counted_log(given.csv) as dataset:
        print(told(series_of(dataset.rollup, given.every), [table], given.json))
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
